"""Stores of replication that live in memory, and pods that list what a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

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
        self.now = datetime.now(UTC)

    def _change(self, intent_id: int, **values: object) -> None:
        self.rows[intent_id] = replace(self.rows[intent_id], **values)  # type: ignore[arg-type]

    async def intents(self, pod: str = "") -> list[Intent]:
        return [row for row in self.rows.values() if pod in ("", row.pod)]

    async def waiting(self) -> set[tuple[str, str]]:
        return {
            (row.pod, row.subject)
            for row in self.rows.values()
            if not row.refused and not row.under_way(self.now)
        }

    async def add_intents(self, wanted: Sequence[Intent], due: datetime | None = None) -> None:
        for intent in wanted:
            number = max(self.rows, default=0) + 1
            self.rows[number] = replace(intent, id=number, due_at=due or self.now)

    def _of(self, write_id: str) -> list[Intent]:
        return [row for row in self.rows.values() if row.write_id == write_id]

    async def begin(self, wanted: Sequence[Intent], seconds: float) -> bool:
        subjects = {intent.subject for intent in wanted}
        if any(row.under_way(self.now) and row.subject in subjects for row in self.rows.values()):
            return False
        await self.add_intents(wanted, self.now + timedelta(seconds=seconds))
        return True

    async def renew(self, write_id: str, seconds: float) -> None:
        for row in self._of(write_id):
            self._change(row.id, due_at=self.now + timedelta(seconds=seconds))

    async def agree(self, write_id: str, pod: str, body: Any, *, over: bool = False) -> None:
        for row in self._of(write_id):
            if row.pod == pod:
                del self.rows[row.id]
            else:
                rest = {"doing": False, "due_at": self.now} if over else {}
                self._change(row.id, held=False, body=body, **rest)

    async def settle(self, write_id: str, late: Mapping[str, tuple[bool, str]]) -> None:
        for row in self._of(write_id):
            if row.pod in late:
                sent, reason = late[row.pod]
                values = {"sent": sent, "reason": reason, "due_at": self.now}
                self._change(row.id, held=False, doing=False, **values)
            else:
                del self.rows[row.id]

    async def abandon(self, write_id: str, instead: Sequence[Intent] = ()) -> None:
        for row in self._of(write_id):
            del self.rows[row.id]
        await self.add_intents(instead)

    async def claim(
        self, intent_id: int, seconds: float, *, sent: bool, held: bool = False
    ) -> bool:
        row = self.rows.get(intent_id)
        if (
            row is None
            or row.held != held
            or row.refused
            or row.due_at is None
            or row.due_at > self.now
        ):
            return False
        due = self.now + timedelta(seconds=seconds)
        for other in self._of(row.write_id) if row.held else ():
            self._change(other.id, due_at=due, doing=False)
        values = {"due_at": due, "attempts": row.attempts + 1, "sent": row.sent or sent}
        self._change(intent_id, doing=False, **values)
        return True

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        row = self.rows[intent_id]
        for other in self._of(row.write_id) if row.held else ():
            self._change(other.id, due_at=self.now)
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
