"""What pods last said of themselves, so that a control plane can start while they are silent."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from control_plane.database.engine import Database
from control_plane.database.schema import facts
from control_plane.database.upsert import insert_or_change


class FactTable:
    """Reads and writes facts; a value is whatever JSON can hold."""

    database: Database

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Write one fact of a pod over the one it replaces."""
        row = {"pod": pod, "key": key, "value": value, "updated_at": datetime.now(UTC)}

        def changes(new: Any) -> dict[str, Any]:
            return {"value": new.value, "updated_at": new.updated_at}

        await self.database.execute(insert_or_change(self.database.dialect, facts, changes), row)

    async def facts(self, pod: str) -> dict[str, object]:
        """Read all facts of a pod."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(facts.c.key, facts.c.value).where(facts.c.pod == pod)
            )
            return {row["key"]: row["value"] for row in rows.mappings()}

    async def facts_of(self, pods: Collection[str]) -> dict[str, dict[str, object]]:
        """Read all facts of some pods at once."""
        found: dict[str, dict[str, object]] = {}
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(facts.c.pod, facts.c.key, facts.c.value).where(facts.c.pod.in_(pods))
            )
            for row in rows.mappings():
                found.setdefault(row["pod"], {})[row["key"]] = row["value"]
        return found

    async def each_with_fact(self, key: str) -> dict[str, tuple[object, datetime]]:
        """Read one fact of all pods that have it, and since when, by pod."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(facts.c.pod, facts.c.value, facts.c.updated_at).where(facts.c.key == key)
            )
            return {row["pod"]: (row["value"], row["updated_at"]) for row in rows.mappings()}

    async def pods_with_fact(self, key: str) -> set[str]:
        """Name the pods of which one fact is stored."""
        async with self.database.read() as connection:
            return set(
                (await connection.execute(select(facts.c.pod).where(facts.c.key == key))).scalars()
            )
