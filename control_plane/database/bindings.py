"""Bindings in the database: whoever binds a project in a zone first, all get that pod."""

import uuid
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.kept import Query
from control_plane.database.schema import bindings, pods
from control_plane.database.upsert import insert_or_keep
from control_plane.model.binding import Binding
from control_plane.model.errors import Conflict, Missing

#: A binding's fields in their order.
_OF_PROJECT = Query(
    tuple(bindings.c[field.name] for field in fields(Binding)), bindings.c.project_id
)


class BindingTable:
    """Reads and writes bindings."""

    database: Database

    async def bind(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        """Bind a project in a zone, unless it is bound: the binding that is there is returned.

        Raises Missing when there is no pod of that id.
        """
        wanted = _new(project_id, availability_zone, pod_id)

        async def work(connection: AsyncConnection) -> RowMapping | None:
            there = select(bindings).where(
                bindings.c.project_id == project_id,
                bindings.c.availability_zone == availability_zone,
            )
            await connection.execute(insert_or_keep(self.database.dialect, bindings), wanted)
            return (await connection.execute(there)).mappings().one_or_none()

        # None: it was there when we inserted and was deleted before we read.
        row = None
        while row is None:
            try:
                row = await self.database.write(work)
            except IntegrityError as error:
                message = f"no pod with the id {pod_id}"
                raise Missing(message) from error
        return Binding(**row)

    async def rebind(self, binding: Binding, pod_id: str) -> Binding:
        """Move a binding to another pod, unless it was moved meanwhile; what is there is returned.

        A binding that was deleted meanwhile is made again. Raises Missing as `bind` does.
        """

        async def work(connection: AsyncConnection) -> RowMapping | None:
            await connection.execute(
                update(bindings)
                .where(bindings.c.id == binding.id, bindings.c.pod_id == binding.pod_id)
                .values(pod_id=pod_id, updated_at=datetime.now(UTC))
            )
            rows = await connection.execute(select(bindings).where(bindings.c.id == binding.id))
            return rows.mappings().one_or_none()

        try:
            row = await self.database.write(work)
        except IntegrityError as error:
            message = f"no pod with the id {pod_id}"
            raise Missing(message) from error
        if row is None:
            return await self.bind(binding.project_id, binding.availability_zone, pod_id)
        return Binding(**row)

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        """Read bindings, of one project or of one pod if told, the oldest first."""
        if project_id is not None and pod_id is None:
            return await self._of_project(project_id)
        query = select(bindings).order_by(bindings.c.created_at, bindings.c.id)
        if project_id is not None:
            query = query.where(bindings.c.project_id == project_id)
        if pod_id is not None:
            query = query.where(bindings.c.pod_id == pod_id)
        async with self.database.read() as connection:
            return [Binding(**row) for row in (await connection.execute(query)).mappings()]

    async def _of_project(self, project_id: str) -> list[Binding]:
        """Read what each create of a project asks for, the cheapest way there is."""
        rows = await self.database.kept.find(_OF_PROJECT, (project_id,))
        found = [Binding(*row) for row in rows]
        return sorted(found, key=lambda binding: (binding.created_at, binding.id))

    async def binding(self, id: str) -> Binding | None:  # noqa: A002
        """Read one binding."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(bindings).where(bindings.c.id == id))
            row = rows.mappings().one_or_none()
        return Binding(**row) if row else None

    async def create_binding(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        """Bind a project in a zone; Conflict if it is bound, Missing if there is no such pod."""
        wanted = _new(project_id, availability_zone, pod_id)

        async def work(connection: AsyncConnection) -> bool:
            pod = await connection.execute(select(pods.c.id).where(pods.c.id == pod_id))
            if pod.one_or_none() is None:
                return False
            await connection.execute(insert(bindings).values(wanted))
            return True

        try:
            found = await self.database.write(work)
        except IntegrityError as error:
            message = f"project {project_id} has a binding in zone {availability_zone} already"
            raise Conflict(message) from error
        if not found:
            message = f"no pod with the id {pod_id}"
            raise Missing(message)
        return Binding(**wanted)

    async def delete_binding(self, id: str) -> None:  # noqa: A002
        """Take a binding out; Missing if there is none."""

        async def work(connection: AsyncConnection) -> int:
            result = await connection.execute(delete(bindings).where(bindings.c.id == id))
            return int(result.rowcount)

        if not await self.database.write(work):
            message = f"no binding with the id {id}"
            raise Missing(message)


def _new(project_id: str, availability_zone: str, pod_id: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "project_id": project_id,
        "availability_zone": availability_zone,
        "pod_id": pod_id,
        "created_at": datetime.now(UTC),
    }
