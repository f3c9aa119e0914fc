"""The loop that keeps pods alike: tells them what they missed, makes new ones ready."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from control_plane.model.errors import Trio2oError
from control_plane.model.intent import Intent
from control_plane.pods.view import View
from control_plane.replication.arrival import Arrival
from control_plane.replication.copies import Copies
from control_plane.replication.pending import Pending

log = structlog.get_logger()

#: How often it is looked whether there is anything to do, seconds, and while a pod is not ready.
SECONDS = 1.0
IMPATIENT_SECONDS = 0.2
#: How long a pod that comes while others serve is left alone.
SETTLE_SECONDS = 0.5
#: The longest wait before a pod that could not be made ready is tried again, seconds.
PATIENT_SECONDS = 10.0


class IntentStore(Protocol):
    """The part of the store that keeps intents."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read intents."""


class Pods(Protocol):
    """The part of the registry that is told who is behind."""

    @property
    def view(self) -> View:
        """The pods as they are now."""

    @property
    def open(self) -> bool:
        """Whether pods can be asked."""

    async def refresh(self) -> None:
        """Read the pods again."""

    async def fall_behind(self, behind: Iterable[tuple[str, str]]) -> None:
        """Note which services of which pods have not been told everything."""


class Replicator:
    """Looks again and again whether a pod lacks something."""

    def __init__(
        self,
        copies: Copies,
        pending: Pending,
        arrival: Arrival,
        intents: IntentStore,
        pods: Pods,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what does the work."""
        self._clock = clock
        self._arriving: frozenset[str] = frozenset()
        self._wait = IMPATIENT_SECONDS
        self._welcome_at = 0.0
        self._begun = False
        self._copies = copies
        self._pending = pending
        self._arrival = arrival
        self._intents = intents
        self._pods = pods

    async def step(self) -> None:
        """Look once."""
        intents = await self._waiting()
        if intents:
            await self._pending.drain(self._pods.view.fleet.serving)
            intents = await self._waiting()
        await self._pods.fall_behind((intent.pod, intent.service) for intent in intents)
        await self._welcome()

    async def _welcome(self) -> None:
        """Make pods ready; one that cannot be is tried less and less often."""
        view = self._pods.view
        arriving = frozenset(name for name in view.arriving if view.reachable(name))
        if arriving != self._arriving:
            # What Envoys are told of a new pod goes first: this is work for the same loop.
            later = self._clock() + SETTLE_SECONDS if self._begun else 0.0
            self._arriving, self._wait, self._welcome_at = arriving, IMPATIENT_SECONDS, later
        self._begun = True
        if not arriving or not self._pods.open or self._clock() < self._welcome_at:
            return
        await self._arrival.welcome(view, reachable=view.reachable, tell=self._pods.refresh)
        self._wait = min(self._wait * 2, PATIENT_SECONDS)
        self._welcome_at = self._clock() + self._wait

    async def _waiting(self) -> list[Intent]:
        now = datetime.now(UTC)
        return [
            intent
            for intent in await self._intents.intents()
            if not intent.refused and not intent.under_way(now)
        ]

    async def run(self) -> None:
        """Look until cancelled."""
        loaded = False
        while True:
            try:
                if not loaded:
                    await self._copies.load()
                    loaded = True
                await self.step()
            except Trio2oError as error:
                log.warning("replication_failed", error=str(error))
            except Exception:
                log.exception("replication_failed")
            await asyncio.sleep(IMPATIENT_SECONDS if self._pods.view.arriving else SECONDS)
