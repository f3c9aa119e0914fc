"""Which pods a project may have things in, as far as creates came by here; and leases of lists.

Where a project has things in one pod alone, Envoy may route its lists there for a moment without
asking (`LEASE`). A create that brings a project into a further pod must not be answered while such
a lease lasts, or a list would lack what was made. So presence is written before the create is sent,
lists are decided by what is written then, and who writes it waits until the leases of before have
ended: once a project and pod. No process has to know what others have leased.

A process remembers for a while where creates may go at once (`_SURE`), and writes again when it
does not. So where nobody has written for longer (`_SETTLED`) no create is under way, and a project
that has nothing there has left the pod.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from control_plane.model.errors import Missing
from control_plane.model.stay import Stay

#: How long an Envoy may route a project's lists by itself, counted from the arrival of the list
#: whose decision told it so, seconds.
LEASE = 1.0
#: What is added when leases are waited for: Envoy's clock may be set back a little meanwhile.
_MARGIN = 0.25
#: A row younger than this may have been written by who is still waiting; clocks of replicas differ.
_YOUNG = timedelta(seconds=60)
#: For how long a process remembers what is written, seconds.
_SURE = 600.0
#: After this no create is under way that was let go without writing: what a process remembers, and
#: as long again for the longest create and the differences of clocks.
_SETTLED = timedelta(seconds=2 * _SURE)
#: Projects in pods that are kept in memory.
_KEPT = 100_000
#: A project's id and a pod's.
_Key = tuple[str, str]


class PresenceStore(Protocol):
    """The part of the store that has presence."""

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Write that a thing of a project is about to be made in a pod; Missing without the pod."""

    async def note(self, project_id: str, pod_id: str) -> None:
        """Write that a project was seen to have things in a pod, if that is new; Missing."""

    async def leave(self, project_id: str, pod_id: str, stay: Stay) -> None:
        """Take back that a project may have things in a pod, unless it has been entered since."""

    async def presence(self, project_id: str) -> Mapping[str, Stay]:
        """Read the ids of the pods that a project may have things in, and since when."""


class Presence:
    """Reads presence, always anew, and writes it, each once in a while."""

    def __init__(
        self,
        store: PresenceStore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nothing known."""
        self._store = store
        self._sleep = sleep
        self._clock = clock
        #: Until when creates may go at once, and what was written for another reason is known.
        self._entered: dict[_Key, float] = {}
        self._noted: dict[_Key, float] = {}
        self._entering: dict[_Key, asyncio.Task[None]] = {}
        #: Until when it is not asked again whether a project has left.
        self._looked: dict[_Key, float] = {}

    async def of(self, project_id: str) -> frozenset[str]:
        """Give the ids of the pods that a project may have things in."""
        return frozenset(await self._store.presence(project_id))

    async def settled(self, project_id: str) -> Mapping[str, Stay]:
        """Give the pods where no create of a project is under way, but the one entered last.

        That one stays, so that who enters another sees that there may be leases.
        """
        stays = await self._store.presence(project_id)
        now = datetime.now(UTC)
        last = max(stays, key=lambda pod_id: (stays[pod_id].entered or now, pod_id), default="")
        return {
            pod_id: stay
            for pod_id, stay in stays.items()
            if pod_id != last and stay.entered is not None and now - stay.entered > _SETTLED
        }

    def may_look(self, project_id: str, pod_id: str) -> bool:
        """Say whether to ask a pod what a project has there: once in a while."""
        key = (project_id, pod_id)
        if self._knows(self._looked, key):
            return False
        _keep(self._looked, key, self._clock() + _SURE)
        return True

    async def leave(self, project_id: str, pod_id: str, stay: Stay) -> None:
        """Take a settled stay back, as the project has nothing in the pod."""
        await self._store.leave(project_id, pod_id, stay)
        self._noted.pop((project_id, pod_id), None)

    async def note(self, project_id: str, pod_id: str) -> None:
        """Write that a project was seen to have things in a pod."""
        key = (project_id, pod_id)
        if not self._knows(self._noted, key):
            until = self._clock() + _SURE
            await self._write(self._store.note, key)
            _keep(self._noted, key, until)

    async def enter(self, project_id: str, pod_id: str) -> None:
        """Return when something may be made in a pod: all lists look there from now on."""
        key = (project_id, pod_id)
        if self._knows(self._entered, key):
            return
        task = self._entering.get(key)
        if task is None:
            task = self._entering[key] = asyncio.create_task(self._enter(key))
            task.add_done_callback(lambda _: self._entering.pop(key, None))
        # Others wait for the same, so it is not cancelled with one of them.
        await asyncio.shield(task)

    async def _enter(self, key: _Key) -> None:
        project_id, pod_id = key
        until = self._clock() + _SURE
        await self._write(self._store.enter, key)
        # Read after writing: of two pods that are entered at once, one at least sees the other.
        stays = await self._store.presence(project_id)
        stay = stays.get(pod_id)
        young = stay is None or datetime.now(UTC) - stay.since < _YOUNG
        if young and len(stays) > 1:
            await self._sleep(LEASE + _MARGIN)
        _keep(self._entered, key, until)

    def _knows(self, known: Mapping[_Key, float], key: _Key) -> bool:
        return known.get(key, 0.0) > self._clock()

    async def _write(self, write: Callable[[str, str], Awaitable[None]], key: _Key) -> None:
        try:
            await write(*key)
        except Missing:
            # The pod has just been taken out: no list looks there.
            return


def _keep(known: dict[_Key, float], key: _Key, until: float) -> None:
    if len(known) >= _KEPT:
        known.clear()
    known[key] = until
