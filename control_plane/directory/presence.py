"""Which pods a project may have things in, as far as creates came by here; and leases of lists.

Where a project has things in one pod alone, Envoy may route its lists there for a moment without
asking (`LEASE`). A create that brings a project into a further pod must not be answered while such
a lease lasts, or a list would lack what was made. So presence is written before the create is sent,
lists are decided by what is written then, and who writes it waits until the leases of before have
ended: once a project and pod. No process has to know what others have leased.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from control_plane.model.errors import Missing

#: How long an Envoy may route a project's lists by itself, counted from the arrival of the list
#: whose decision told it so, seconds.
LEASE = 1.0
#: What is added when leases are waited for: Envoy's clock may be set back a little meanwhile.
_MARGIN = 0.25
#: A row younger than this may have been written by who is still waiting; clocks of replicas differ.
_YOUNG = timedelta(seconds=60)
#: Projects in pods that are kept in memory.
_KEPT = 100_000


class PresenceStore(Protocol):
    """The part of the store that has presence."""

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Write that a project may have things in a pod; Missing when there is no such pod."""

    async def presence(self, project_id: str) -> Mapping[str, datetime]:
        """Read the ids of the pods that a project may have things in, and since when."""


class Presence:
    """Reads presence, always anew, and writes it, each once."""

    def __init__(
        self, store: PresenceStore, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Start with nothing known."""
        self._store = store
        self._sleep = sleep
        #: Where creates may go at once, and what was written for another reason.
        self._entered: set[tuple[str, str]] = set()
        self._noted: set[tuple[str, str]] = set()
        self._entering: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def of(self, project_id: str) -> frozenset[str]:
        """Give the ids of the pods that a project may have things in."""
        return frozenset(await self._store.presence(project_id))

    async def note(self, project_id: str, pod_id: str) -> None:
        """Write that a project was seen to have things in a pod."""
        key = (project_id, pod_id)
        if key not in self._noted:
            await self._write(key)
            _keep(self._noted, key)

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Return when something may be made in a pod: all lists look there from now on."""
        key = (project_id, pod_id)
        if key in self._entered:
            return
        task = self._entering.get(key)
        if task is None:
            task = self._entering[key] = asyncio.create_task(self._enter(key))
            task.add_done_callback(lambda _: self._entering.pop(key, None))
        # Others wait for the same, so it is not cancelled with one of them.
        await asyncio.shield(task)

    async def _enter(self, key: tuple[str, str]) -> None:
        project_id, pod_id = key
        await self._write(key)
        # Read after writing: of two pods that are entered at once, one at least sees the other.
        pods = await self._store.presence(project_id)
        since = pods.get(pod_id)
        young = since is None or datetime.now(UTC) - since < _YOUNG
        if young and len(pods) > 1:
            await self._sleep(LEASE + _MARGIN)
        _keep(self._entered, key)

    async def _write(self, key: tuple[str, str]) -> None:
        try:
            await self._store.enter(*key)
        except Missing:
            # The pod has just been taken out: no list looks there.
            return


def _keep(known: set[tuple[str, str]], key: tuple[str, str]) -> None:
    if len(known) >= _KEPT:
        known.clear()
    known.add(key)
