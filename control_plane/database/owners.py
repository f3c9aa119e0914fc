"""Owners in the database: the pod of each placed resource, for ever."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Dialect,
    RowMapping,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert

from control_plane.database.engine import Database
from control_plane.database.kept import Query
from control_plane.database.many import ManyRows, many_rows
from control_plane.database.schema import owners
from control_plane.database.upsert import Changes, insert_or_change
from control_plane.model.errors import StoreUnreachable
from control_plane.model.owner import Owner

#: Ids in one query, below every database's limit on parameters.
_AT_ONCE = 1000

_PODS = Query((owners.c.id, owners.c.pod), owners.c.id)
#: What an `Owner` is made of, in its order.
_OWNER = (owners.c.id, owners.c.resource, owners.c.pod, owners.c.project_id, owners.c.created_at)
_OWNERS = Query(_OWNER, owners.c.id)
_STANDING = Query((owners.c.deleted_at, *_OWNER), owners.c.id)


class OwnerTable:
    """Reads and writes owners."""

    database: Database

    async def owner(self, id: str) -> Owner | None:  # noqa: A002
        """Read one owner, also of a resource that was deleted."""
        rows = await self.database.kept.find(_OWNERS, (id,))
        return Owner(*rows[0]) if rows else None

    async def standing(self, id: str) -> Owner | None:  # noqa: A002
        """Read one owner; None of a resource that was deleted."""
        rows = await self.database.kept.find(_STANDING, (id,))
        return Owner(*rows[0][1:]) if rows and rows[0][0] is None else None

    async def owners(self, ids: Iterable[str]) -> dict[str, Owner]:
        """Read the owners of many ids; those nobody knows are left out."""
        wanted = sorted(set(ids))
        found: dict[str, Owner] = {}
        async with self.database.read() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                rows = await connection.execute(select(owners).where(owners.c.id.in_(part)))
                found |= {row["id"]: _owner(row) for row in rows.mappings()}
        return found

    async def pods_of(self, ids: Sequence[str]) -> dict[str, str]:
        """Name the pods of ids: what most requests ask, so the cheapest way there is."""
        found: dict[str, str] = {}
        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            rows = await self.database.kept.find(_PODS, part)
            found |= {row[0]: row[1] for row in rows}
        return found

    def pods_now(self, ids: Sequence[str]) -> dict[str, str] | None:
        """Name the pods of a few ids at once; None where the database must be waited for."""
        rows = self.database.kept.find_now(_PODS, ids)
        return None if rows is None else {row[0]: row[1] for row in rows}

    async def placed(
        self,
        resource: str,
        pod: str,
        project_id: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Owner]:
        """Read what a pod has of a project, or of all, created after a moment; oldest first.

        What is known to be deleted is left out.
        """
        query = (
            select(owners)
            .where(owners.c.resource == resource, owners.c.pod == pod)
            .where(owners.c.deleted_at.is_(None))
            .order_by(owners.c.created_at, owners.c.id)
            .limit(limit)
        )
        if project_id is not None:
            query = query.where(owners.c.project_id == project_id)
        if since is not None:
            query = query.where(owners.c.created_at > since)
        async with self.database.read() as connection:
            rows = await connection.execute(query)
            return [_owner(row) for row in rows.mappings()]

    async def record(self, owners: Iterable[Owner]) -> None:
        """Write owners; the pod of an id that is known is never changed.

        Of a known id only what was unknown is filled in: the project, and a time of creation
        earlier than the recorded one, since the pod's own time is always before the recording. An
        id that was marked as deleted is there again: a backup's record can be imported anew.
        """
        moment = datetime.now(UTC)
        values = {
            owner.id: {
                "id": owner.id,
                "resource": owner.resource,
                "pod": owner.pod,
                "project_id": owner.project_id,
                "created_at": owner.created_at or moment,
            }
            for owner in owners
        }
        if not values:
            return
        # In one order everywhere, so that two replicas do not wait for each other's rows.
        rows = [values[key] for key in sorted(values)]
        if await self._written(rows):
            return
        statement = _insert_or_fill_in(self.database.dialect)

        await self.database.execute(statement, rows)

    async def _written(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Write owners in one statement; False where it failed or there is none."""
        recording = _recording(self.database.engine.dialect)
        if recording is None:
            return False
        try:
            await self.database.kept.write(recording.text, recording.parameters(rows))
        except StoreUnreachable:
            raise
        except Exception:  # noqa: BLE001  # the transaction tries again, and says what is wrong
            return False
        return True

    async def mark_deleted(self, id: str) -> None:  # noqa: A002
        """Remember that a resource is gone; its owner is still found, as its pod answers 404."""
        if await self._ended(id):
            return

        await self.database.execute(
            update(owners)
            .where(owners.c.id == id, owners.c.deleted_at.is_(None))
            .values(deleted_at=datetime.now(UTC))
        )

    async def _ended(self, id: str) -> bool:  # noqa: A002
        """Mark as deleted in one statement; False where it failed or there is none."""
        dialect = self.database.engine.dialect
        if dialect.name != "sqlite" and dialect.driver != "asyncpg":
            return False
        text, write = _ending(dialect)
        try:
            await self.database.kept.write(text, (write(datetime.now(UTC)), id))
        except StoreUnreachable:
            raise
        except Exception:  # noqa: BLE001  # the transaction tries again, and says what is wrong
            return False
        return True

    async def give(self, id: str, project_id: str) -> None:  # noqa: A002
        """Write another project to an owner."""
        await self.database.execute(
            update(owners).where(owners.c.id == id).values(project_id=project_id)
        )


def _changes(dialect: str) -> Changes:
    def changes(new: Any) -> dict[str, Any]:
        least = func.min if dialect == "sqlite" else func.least
        # Not a parameter: aiomysql takes parameters of many rows from VALUES only.
        unknown = owners.c.project_id == literal_column("''")
        project = case((unknown, new.project_id), else_=owners.c.project_id)
        return {
            "project_id": project,
            "created_at": least(owners.c.created_at, new.created_at),
            "deleted_at": null(),
        }

    return changes


@lru_cache
def _insert_or_fill_in(dialect: str) -> Insert:
    return insert_or_change(dialect, owners, _changes(dialect))


@lru_cache
def _recording(dialect: Dialect) -> ManyRows | None:
    return many_rows(dialect, _insert_or_fill_in(dialect.name), _OWNER)


@lru_cache
def _ending(dialect: Dialect) -> tuple[str, Callable[[Any], Any]]:
    """Write an end as a driver takes it, and what makes a moment of its own of one."""
    statement = (
        update(owners)
        .values(deleted_at=bindparam("moment"))
        .where(owners.c.id == bindparam("gone"), owners.c.deleted_at.is_(None))
    )
    write = owners.c.deleted_at.type.dialect_impl(dialect).bind_processor(dialect)
    return str(statement.compile(dialect=dialect)), write or (lambda moment: moment)


def _owner(row: RowMapping) -> Owner:
    return Owner(row["id"], row["resource"], row["pod"], row["project_id"], row["created_at"])
