"""Intents in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
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
        """Read which (pod, subject) have intents that are still to be carried out."""
        query = select(intents.c.pod, intents.c.subject).where(intents.c.refused.is_(False))
        async with self.database.read() as connection:
            return {(row.pod, row.subject) for row in (await connection.execute(query)).all()}

    async def add_intents(self, wanted: Sequence[Intent]) -> None:
        """Write new intents, all or none."""
        now = datetime.now(UTC)

        async def work(connection: AsyncConnection) -> None:
            rows = [{**_values(entry), "due_at": now, "created_at": now} for entry in wanted]
            await connection.execute(insert(intents), rows)

        if wanted:
            await self.database.write(work)

    async def claim(self, intent_id: int, seconds: float, *, sent: bool) -> bool:
        """Take an intent that is due for some time, so that no other replica carries it out too.

        False when another one has it. `sent` is written before anything is: whoever finds the
        intent after a crash knows that it may have reached the pod.
        """
        now = datetime.now(UTC)

        async def work(connection: AsyncConnection) -> bool:
            statement = (
                update(intents)
                .where(
                    intents.c.id == intent_id,
                    intents.c.due_at <= now,
                    intents.c.refused.is_(False),
                )
                .values(
                    due_at=now + timedelta(seconds=seconds),
                    attempts=intents.c.attempts + 1,
                    **({"sent": True} if sent else {}),
                )
            )
            return bool((await connection.execute(statement)).rowcount)

        return await self.database.write(work)

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        """Let an intent be due again in some time."""
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        await self._update(intent_id, {"due_at": due, "reason": reason})

    async def refuse(self, intent_id: int, reason: str) -> None:
        """Keep an intent that its pod refused for good, to be seen."""
        await self._update(intent_id, {"refused": True, "reason": reason})

    async def finish(self, intent_id: int) -> None:
        """Take an intent out, because it was carried out."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(intents).where(intents.c.id == intent_id))

        await self.database.write(work)

    async def count_intents(self, pod: str) -> int:
        """Count the intents of a pod that are still to be carried out."""
        query = select(func.count()).where(intents.c.pod == pod, intents.c.refused.is_(False))
        async with self.database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _update(self, intent_id: int, values: dict[str, Any]) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(intents).where(intents.c.id == intent_id).values(**values)
            )

        await self.database.write(work)


def _intent(row: RowMapping) -> Intent:
    return Intent(**row)


def _values(entry: Intent) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Intent.__slots__ if name != "id"}
