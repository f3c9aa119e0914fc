"""Presence in the database: the pods that a project may have things in."""

from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import Insert

from control_plane.database.engine import Database
from control_plane.database.kept import Query
from control_plane.database.schema import presence
from control_plane.database.upsert import insert_or_change, insert_or_keep
from control_plane.model.errors import Missing
from control_plane.model.stay import Stay

_OF_PROJECT = Query(
    (presence.c.pod_id, presence.c.created_at, presence.c.entered_at), presence.c.project_id
)


class PresenceTable:
    """Reads and writes presence."""

    database: Database

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Write that a thing of a project is about to be made in a pod; Missing without the pod."""
        statement = insert_or_change(
            self.database.dialect, presence, lambda new: {"entered_at": new.entered_at}
        )
        await self._add(statement, project_id, pod_id)

    async def note(self, project_id: str, pod_id: str) -> None:
        """Write that a project was seen to have things in a pod, if that is new; Missing."""
        await self._add(insert_or_keep(self.database.dialect, presence), project_id, pod_id)

    async def _add(self, statement: Insert, project_id: str, pod_id: str) -> None:
        now = datetime.now(UTC)
        row = {"project_id": project_id, "pod_id": pod_id, "created_at": now, "entered_at": now}

        try:
            await self.database.execute(statement, row)
        except IntegrityError as error:
            message = f"no pod with the id {pod_id}"
            raise Missing(message) from error

    async def leave(self, project_id: str, pod_id: str, stay: Stay) -> None:
        """Take back that a project may have things in a pod, unless it has been entered since."""
        await self.database.execute(
            delete(presence).where(
                presence.c.project_id == project_id,
                presence.c.pod_id == pod_id,
                presence.c.created_at == stay.since,
                presence.c.entered_at == stay.entered,
            )
        )

    async def presence(self, project_id: str) -> dict[str, Stay]:
        """Read the ids of the pods that a project may have things in, and since when."""
        rows = await self.database.kept.find(_OF_PROJECT, (project_id,))
        return {row[0]: Stay(row[1], row[2]) for row in rows}
