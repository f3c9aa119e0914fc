"""Presence in the database: the pods that a project may have things in, for ever."""

from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.kept import Query
from control_plane.database.schema import presence
from control_plane.database.upsert import insert_or_keep
from control_plane.model.errors import Missing

_OF_PROJECT = Query((presence.c.pod_id, presence.c.created_at), presence.c.project_id)


class PresenceTable:
    """Reads and writes presence."""

    database: Database

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Write that a project may have things in a pod; Missing when there is no such pod."""
        row = {"project_id": project_id, "pod_id": pod_id, "created_at": datetime.now(UTC)}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert_or_keep(self.database.dialect, presence), row)

        try:
            await self.database.write(work)
        except IntegrityError as error:
            message = f"no pod with the id {pod_id}"
            raise Missing(message) from error

    async def presence(self, project_id: str) -> dict[str, datetime]:
        """Read the ids of the pods that a project may have things in, and since when."""
        rows = await self.database.kept.find(_OF_PROJECT, (project_id,))
        return {row[0]: row[1] for row in rows}
