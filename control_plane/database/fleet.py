"""All pods, read every two seconds by each replica: what has not changed is not made again."""

from typing import Any

from sqlalchemy import RowMapping, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from control_plane.database.schema import pods
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod, PodState

#: As the driver gives it: most of the work is to make dates and dictionaries of a thousand rows.
_RAW = select(*(type_coerce(column, NullType()).label(column.name) for column in pods.c))
_ID = list(pods.c).index(pods.c.id)
#: More pods than this are read with all others rather than by their ids.
_FEW = 100


class FleetReader:
    """Remembers the rows that were last read and what was made of them."""

    def __init__(self) -> None:
        """Begin with no pods."""
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._fleet = Fleet()

    async def read(self, connection: AsyncConnection) -> Fleet:
        """Read all pods; the same object as the last time when nothing has changed."""
        rows = {str(row[_ID]): tuple(row) for row in await connection.execute(_RAW)}
        before, fleet = self._rows, self._fleet
        if rows == before:
            return fleet
        changed = [pod_id for pod_id, row in rows.items() if before.get(pod_id) != row]
        query = select(pods)
        if len(changed) <= _FEW:
            query = query.where(pods.c.id.in_(changed))
        made = {pod.id: pod for pod in fleet if pod.id in rows}
        for row in (await connection.execute(query)).mappings():
            made[row["id"]] = pod_of(row)
        self._rows, self._fleet = rows, Fleet.of(made.values())
        return self._fleet


def pod_of(row: RowMapping) -> Pod:
    """Make a pod of its row."""
    values: dict[str, Any] = {**row, "state": PodState(row["state"])}
    return Pod(**values)
