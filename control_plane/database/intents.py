"""Intents in the database."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.schema import intents
from control_plane.model.intent import Intent


class IntentTable:
    """Reads and writes intents."""

    database: Database

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read the intents of a pod, or all, in the order in which they came."""
        query = select(intents).order_by(intents.c.id)
        if pod:
            query = query.where(intents.c.pod == pod)
        async with self.database.read() as connection:
            return [_intent(row) for row in (await connection.execute(query)).mappings()]

    async def waiting(self) -> set[tuple[str, str]]:
        """Read which (pod, subject) have intents that are still to be carried out.

        What whoever began it is at does not count.
        """
        under_way = intents.c.doing & (intents.c.due_at > datetime.now(UTC))
        query = select(intents.c.pod, intents.c.subject).where(
            intents.c.refused.is_(False), not_(under_way)
        )
        async with self.database.read() as connection:
            return {(row.pod, row.subject) for row in (await connection.execute(query)).all()}

    async def begin(self, wanted: Sequence[Intent], seconds: float) -> bool:
        """Write down a write before any pod is told; False while another is at the same subject.

        Of several that begin in the same moment one is let, or none.
        """
        now = datetime.now(UTC)
        due = now + timedelta(seconds=seconds)
        subjects = sorted({entry.subject for entry in wanted})
        busy = (
            select(func.count())
            .select_from(intents)
            .where(
                intents.c.subject.in_(subjects), intents.c.doing.is_(True), intents.c.due_at > now
            )
        )

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(busy)).scalar_one():
                return False
            rows = [{**_values(entry), "due_at": due, "created_at": now} for entry in wanted]
            await connection.execute(insert(intents), rows)
            return True

        if not await self.database.write(work):
            return False
        # Read after writing: of two that have begun at once one at least sees the other.
        own = {entry.write_id for entry in wanted}
        async with self.database.read() as connection:
            others = busy.where(intents.c.write_id.not_in(own))
            if not (await connection.execute(others)).scalar_one():
                return True
        for write_id in own:
            await self.abandon(write_id)
        return False

    async def renew(self, write_id: str, seconds: float) -> None:
        """Say that who began a write is still at it."""
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        await self._update_write(write_id, {"due_at": due}, intents.c.doing.is_(True))

    async def agree(self, write_id: str, pod: str, body: Any, *, over: bool = False) -> None:
        """Note that a pod carried a write out: the others are to be told, with this body.

        `over`: who began it is gone, and the others are due now.
        """
        rest = {"doing": False, "due_at": datetime.now(UTC)} if over else {}

        async def work(connection: AsyncConnection) -> None:
            own = intents.c.write_id == write_id
            await connection.execute(delete(intents).where(own, intents.c.pod == pod))
            changed = update(intents).where(own).values(held=False, body=body, **rest)
            await connection.execute(changed)

        await self.database.write(work)

    async def settle(self, write_id: str, late: Mapping[str, tuple[bool, str]]) -> None:
        """End a write: the pods in `late` are told later, with whether it was sent and why."""
        now = datetime.now(UTC)

        async def work(connection: AsyncConnection) -> None:
            own = intents.c.write_id == write_id
            await connection.execute(delete(intents).where(own, intents.c.pod.not_in(list(late))))
            for pod, (sent, reason) in late.items():
                values = {"sent": sent, "reason": reason, "due_at": now}
                row = update(intents).where(own, intents.c.pod == pod)
                await connection.execute(row.values(held=False, doing=False, **values))

        await self.database.write(work)

    async def abandon(self, write_id: str, instead: Sequence[Intent] = ()) -> None:
        """Take a write out that is not to be carried out, and note what is to be done instead."""
        now = datetime.now(UTC)
        rows = [{**_values(entry), "due_at": now, "created_at": now} for entry in instead]

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(intents).where(intents.c.write_id == write_id))
            if rows:
                await connection.execute(insert(intents), rows)

        await self.database.write(work)

    async def add_intents(self, wanted: Sequence[Intent]) -> None:
        """Write new intents, all or none."""
        now = datetime.now(UTC)

        async def work(connection: AsyncConnection) -> None:
            rows = [{**_values(entry), "due_at": now, "created_at": now} for entry in wanted]
            await connection.execute(insert(intents), rows)

        if wanted:
            await self.database.write(work)

    async def claim(
        self, intent_id: int, seconds: float, *, sent: bool, held: bool = False
    ) -> bool:
        """Take an intent that is due for some time, so that no other replica carries it out too.

        False when another one has it. `sent` is written before anything is: whoever finds the
        intent after a crash knows that it may have reached the pod. Of a write that is held all
        intents are taken, since what one pod says decides for the others; False, too, when it is
        not `held` as it was read.
        """
        now = datetime.now(UTC)
        due = now + timedelta(seconds=seconds)

        async def work(connection: AsyncConnection) -> bool:
            statement = (
                update(intents)
                .where(
                    intents.c.id == intent_id,
                    intents.c.due_at <= now,
                    intents.c.refused.is_(False),
                    intents.c.held.is_(held),
                )
                .values(
                    due_at=due,
                    attempts=intents.c.attempts + 1,
                    doing=False,
                    **({"sent": True} if sent else {}),
                )
            )
            if not (await connection.execute(statement)).rowcount:
                return False
            if held:
                own = select(intents.c.write_id).where(intents.c.id == intent_id)
                write_id = (await connection.execute(own)).scalar_one()
                others = update(intents).where(intents.c.write_id == write_id)
                await connection.execute(others.values(due_at=due, doing=False))
            return True

        return await self.database.write(work)

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        """Let an intent be due again in some time; another pod may decide on a held one now."""
        now = datetime.now(UTC)
        due = now + timedelta(seconds=seconds)

        async def work(connection: AsyncConnection) -> None:
            own = intents.c.id == intent_id
            held = select(intents.c.write_id).where(own, intents.c.held)
            write_id = (await connection.execute(held)).scalar_one_or_none()
            if write_id:
                others = update(intents).where(intents.c.write_id == write_id)
                await connection.execute(others.values(due_at=now))
            await connection.execute(update(intents).where(own).values(due_at=due, reason=reason))

        await self.database.write(work)

    async def refuse(self, intent_id: int, reason: str) -> None:
        """Keep an intent that its pod refused for good, to be seen."""
        await self._update(intent_id, {"refused": True, "reason": reason})

    async def finish(self, intent_id: int) -> None:
        """Take an intent out, because it was carried out."""
        await self.database.execute(delete(intents).where(intents.c.id == intent_id))

    async def count_intents(self, pod: str) -> int:
        """Count the intents of a pod that are still to be carried out."""
        query = select(func.count()).where(intents.c.pod == pod, intents.c.refused.is_(False))
        async with self.database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _update_write(
        self, write_id: str, values: dict[str, Any], *where: ColumnElement[bool]
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            statement = update(intents).where(intents.c.write_id == write_id, *where)
            await connection.execute(statement.values(**values))

        await self.database.write(work)

    async def _update(self, intent_id: int, values: dict[str, Any]) -> None:
        await self.database.execute(
            update(intents).where(intents.c.id == intent_id).values(**values)
        )


def _intent(row: RowMapping) -> Intent:
    return Intent(**row)


def _values(entry: Intent) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Intent.__slots__ if name != "id"}
