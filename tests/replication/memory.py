"""Stores of replication that live in memory, and pods that list what a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from control_plane.database.copies import Change
from control_plane.model.copy import Copy
from control_plane.model.intent import Intent
from control_plane.replication.naming import Listing


class MemoryCopies:
    """The table `copies`."""

    def __init__(self) -> None:
        self.rows: list[Copy] = []

    async def copies(self, resource: str = "") -> list[Copy]:
        return [row for row in self.rows if resource in ("", row.resource)]

    async def change_copies(self, resource: str, change: Change) -> list[Copy]:
        found = list(change(await self.copies(resource)))
        self.rows = [row for row in self.rows if row.resource != resource] + found
        return found


class MemoryIntents:
    """The table `intents`."""

    def __init__(self) -> None:
        self.rows: dict[int, Intent] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def _change(self, intent_id: int, **values: object) -> None:
        self.rows[intent_id] = replace(self.rows[intent_id], **values)  # type: ignore[arg-type]

    async def intents(self, pod: str = "") -> list[Intent]:
        return [row for row in self.rows.values() if pod in ("", row.pod)]

    async def waiting(self) -> set[tuple[str, str]]:
        return {(row.pod, row.subject) for row in self.rows.values() if not row.refused}

    async def add_intents(self, wanted: Sequence[Intent]) -> None:
        for intent in wanted:
            number = max(self.rows, default=0) + 1
            self.rows[number] = replace(intent, id=number, due_at=self.now)

    async def claim(self, intent_id: int, seconds: float, *, sent: bool) -> bool:
        row = self.rows[intent_id]
        if row.refused or row.due_at is None or row.due_at > self.now:
            return False
        due = self.now + timedelta(seconds=seconds)
        self._change(intent_id, due_at=due, attempts=row.attempts + 1, sent=row.sent or sent)
        return True

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        self._change(intent_id, due_at=self.now + timedelta(seconds=seconds), reason=reason)

    async def refuse(self, intent_id: int, reason: str) -> None:
        self._change(intent_id, refused=True, reason=reason)

    async def finish(self, intent_id: int) -> None:
        del self.rows[intent_id]


class Listings:
    """What pods list of every resource."""

    def __init__(self, **pods: Listing) -> None:
        self.pods: dict[str, Listing] = dict(pods)
        self.asked = 0

    async def listings(self, resource: str) -> Mapping[str, Listing]:
        self.asked += 1
        return self.pods
