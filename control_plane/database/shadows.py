"""Shadows in the database: what stands in for a pod's own thing in the other pods.

They are rows of the table of copies. Their name is the users' id, so that a pod has one shadow of
a thing at most.
"""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.kept import Query
from control_plane.database.schema import copies
from control_plane.database.upsert import insert_or_keep

#: A pod has some dozens of copies, and who asks does so until the first shadow only.
_OF_POD = Query((copies.c.resource,), copies.c.pod)


class ShadowTable:
    """Reads and writes shadows."""

    database: Database

    async def shadows(self, resource: str, user_id: str, pods: Iterable[str]) -> dict[str, str]:
        """Read the ids of a thing's shadows by the pods that have one."""
        query = select(copies.c.pod, copies.c.pod_id).where(
            copies.c.resource == resource,
            copies.c.pod.in_(sorted(pods)),
            copies.c.name == user_id,
        )
        async with self.database.read() as connection:
            return {row.pod: row.pod_id for row in await connection.execute(query)}

    async def shadowed(self, resource: str, pod: str, pod_ids: Iterable[str]) -> dict[str, str]:
        """Read what a pod's shadows stand for; ids that are no shadows are left out."""
        query = select(copies.c.pod_id, copies.c.user_id).where(
            copies.c.resource == resource,
            copies.c.pod == pod,
            copies.c.pod_id.in_(sorted(pod_ids)),
        )
        async with self.database.read() as connection:
            return {row.pod_id: row.user_id for row in await connection.execute(query)}

    async def has_shadows(self, resource: str, pod: str) -> bool:
        """Say whether anything in a pod stands in for a thing of another."""
        found = await self.database.kept.find(_OF_POD, [pod])
        return any(row[0] == resource for row in found)

    async def keep_shadow(self, resource: str, user_id: str, pod: str, pod_id: str) -> str:
        """Write a shadow unless the pod has one; the id of the one that holds."""
        wanted = {
            "resource": resource,
            "pod": pod,
            "pod_id": pod_id,
            "user_id": user_id,
            "name": user_id,
        }
        there = select(copies.c.pod_id).where(
            copies.c.resource == resource, copies.c.pod == pod, copies.c.name == user_id
        )

        async def work(connection: AsyncConnection) -> str:
            await connection.execute(insert_or_keep(self.database.dialect, copies), wanted)
            return str((await connection.execute(there)).scalar_one())

        return await self.database.write(work)

    async def forget_shadow(self, resource: str, pod: str, pod_id: str) -> None:
        """Take a shadow out that was deleted in its pod."""
        await self.database.execute(
            delete(copies).where(
                copies.c.resource == resource,
                copies.c.pod == pod,
                copies.c.pod_id == pod_id,
            )
        )
