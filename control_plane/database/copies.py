"""Ids of copies in the database."""

from collections.abc import Callable, Sequence

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.schema import copies
from control_plane.model.copy import Copy

#: Given the copies that are known, what they become.
Change = Callable[[Sequence[Copy]], Sequence[Copy]]

_ATTEMPTS = 5


class CopyTable:
    """Reads and writes copies."""

    database: Database

    async def copies(self, resource: str = "") -> list[Copy]:
        """Read the copies of a resource, or all."""
        async with self.database.read() as connection:
            return await _read(connection, resource)

    async def change_copies(self, resource: str, change: Change) -> list[Copy]:
        """Make the copies of a resource what `change` says, and give them.

        `change` must be a pure function: when another replica was faster, it runs again on what
        that one wrote. Nothing is written when it changes nothing.
        """

        async def work(connection: AsyncConnection) -> list[Copy]:
            known = await _read(connection, resource)
            wanted = list(change(known))
            before, after = set(known), set(wanted)
            if gone := before - after:
                key = tuple_(copies.c.resource, copies.c.pod, copies.c.pod_id)
                keys = [(entry.resource, entry.pod, entry.pod_id) for entry in gone]
                await connection.execute(delete(copies).where(key.in_(keys)))
            if new := after - before:
                await connection.execute(insert(copies), [_values(entry) for entry in new])
            return wanted

        for _ in range(_ATTEMPTS - 1):
            try:
                return await self.database.write(work)
            except IntegrityError:
                continue
        return await self.database.write(work)


async def _read(connection: AsyncConnection, resource: str) -> list[Copy]:
    query = select(copies)
    if resource:
        query = query.where(copies.c.resource == resource)
    query = query.order_by(copies.c.resource, copies.c.pod, copies.c.pod_id)
    return [Copy(**row) for row in (await connection.execute(query)).mappings()]


def _values(entry: Copy) -> dict[str, str]:
    return {name: getattr(entry, name) for name in Copy.__slots__}
