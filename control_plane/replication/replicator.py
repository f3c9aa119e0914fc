"""The loop that keeps pods alike: tells them what they missed, makes new ones ready."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog

from control_plane.model.intent import Intent
from control_plane.pods.registry import View
from control_plane.replication.arrival import Arrival
from control_plane.replication.copies import Copies
from control_plane.replication.pending import Pending

log = structlog.get_logger()

#: How often it is looked whether there is anything to do, seconds, and while a pod is not ready.
SECONDS = 1.0
IMPATIENT_SECONDS = 0.2


class IntentStore(Protocol):
    """The part of the store that keeps intents."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read intents."""


class Pods(Protocol):
    """The part of the registry that is told who is behind."""

    @property
    def view(self) -> View:
        """The pods as they are now."""

    async def refresh(self) -> None:
        """Read the pods again."""

    def fall_behind(self, behind: Iterable[tuple[str, str]]) -> None:
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
    ) -> None:
        """Take what does the work."""
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
        self._pods.fall_behind((intent.pod, intent.service) for intent in intents)
        view = self._pods.view
        if view.arriving and await self._arrival.welcome(view, reachable=view.reachable):
            await self._pods.refresh()

    async def _waiting(self) -> list[Intent]:
        return [intent for intent in await self._intents.intents() if not intent.refused]

    async def run(self) -> None:
        """Look until cancelled."""
        loaded = False
        while True:
            try:
                if not loaded:
                    await self._copies.load()
                    loaded = True
                await self.step()
            except Exception:
                log.exception("replication_failed")
            await asyncio.sleep(IMPATIENT_SECONDS if self._pods.view.arriving else SECONDS)
