"""Pods in the database."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from control_plane.database.engine import Database
from control_plane.database.fleet import FleetReader, pod_of
from control_plane.database.schema import copies, facts, intents, owners, pods
from control_plane.model.errors import Conflict, InUse, Missing
from control_plane.model.fleet import Fleet
from control_plane.model.pod import HIGHEST_NUMBER, Pod

#: How often a number is looked for when replicas make pods at once.
_ATTEMPTS = 8


class PodTable:
    """Reads and writes pods."""

    database: Database
    fleet_reader: FleetReader

    async def fleet(self) -> Fleet:
        """Read all pods."""
        async with self.database.read() as connection:
            return await self.fleet_reader.read(connection)

    async def create_pod(self, pod: Pod) -> Pod:
        """Write a new pod, with an id if it has none; Conflict if its name is taken."""
        created = replace(
            pod,
            id=pod.id or str(uuid.uuid4()),
            created_at=pod.created_at or datetime.now(UTC),
            updated_at=None,
        )

        async def work(connection: AsyncConnection) -> Pod:
            numbered = replace(created, number=await _free_number(connection))
            await connection.execute(insert(pods).values(_values(numbered)))
            return numbered

        for _ in range(_ATTEMPTS):
            try:
                return await self.database.write(work)
            except IntegrityError as error:
                # The name is taken, or another replica took the number at the same moment.
                if (await self.fleet()).get(pod.name) is not None:
                    message = f"a pod named {pod.name} exists already"
                    raise Conflict(message) from error
        message = f"the pod {pod.name} found no free number; try again"
        raise Conflict(message)

    async def replace_pod(self, pod: Pod) -> Pod:
        """Write a pod over the one of the same name, which keeps its id; Missing if none is."""
        changed = _values(replace(pod, updated_at=datetime.now(UTC)))
        for kept in ("id", "name", "number", "created_at"):
            del changed[kept]

        async def work(connection: AsyncConnection) -> RowMapping | None:
            await connection.execute(update(pods).where(pods.c.name == pod.name).values(changed))
            rows = await connection.execute(select(pods).where(pods.c.name == pod.name))
            return rows.mappings().one_or_none()

        row = await self.database.write(work)
        if row is None:
            message = f"no pod named {pod.name}"
            raise Missing(message)
        return pod_of(row)

    async def delete_pod(self, name: str, *, force: bool = False) -> None:
        """Take a pod out, with its bindings, its facts and what it was still to be told.

        Raises Missing, or InUse if it owns resources and `force` is not set; their owners are kept
        either way.
        """

        async def work(connection: AsyncConnection) -> None:
            owned = 0 if force else await _count_owned(connection, name)
            if owned:
                raise InUse(name, owned)
            result = await connection.execute(delete(pods).where(pods.c.name == name))
            if not result.rowcount:
                message = f"no pod named {name}"
                raise Missing(message)
            for table in (facts, copies, intents):
                await connection.execute(delete(table).where(table.c.pod == name))

        await self.database.write(work)

    async def count_owned(self, pod: str) -> int:
        """Count the resources of a pod that were not deleted."""
        async with self.database.read() as connection:
            return await _count_owned(connection, pod)


async def _count_owned(connection: AsyncConnection, pod: str) -> int:
    query = select(func.count()).where(owners.c.pod == pod, owners.c.deleted_at.is_(None))
    return int((await connection.execute(query)).scalar_one())


async def _free_number(connection: AsyncConnection) -> int:
    """Find a number for a new pod: behind the highest, and a gap only when there is no other."""
    highest = (await connection.execute(select(func.max(pods.c.number)))).scalar()
    following = (highest or 0) + 1
    if following <= HIGHEST_NUMBER:
        return following
    taken = set((await connection.execute(select(pods.c.number))).scalars())
    free = next((number for number in range(1, following) if number not in taken), None)
    if free is None:
        message = f"there are {HIGHEST_NUMBER} pods already"
        raise Conflict(message)
    return free


def _values(pod: Pod) -> dict[str, Any]:
    plain: Mapping[str, Any] = {"labels": dict(pod.labels), "endpoints": dict(pod.endpoints)}
    return {**asdict(replace(pod, labels={}, endpoints={})), **plain, "state": pod.state.value}
