"""The projects' bindings as creates ask for them: read once in two seconds a project.

Several processes share the rows, and what one keeps here may have been changed by another. That is
safe, because nothing is decided by what is kept alone:

- a project with no binding in a zone gets one by `bind`, which gives the row that is there if
  another was first;
- a binding is moved by `rebind` only, which compares before it sets and gives the row that is
  there if another moved it; and only when its pod takes no creates, which every process sees by
  itself;
- what an administrator changes by hand (a binding deleted, another made) is followed by all within
  `SECONDS`, as changes of pods are. Until then creates go to the pod they went to before, which
  has not stopped to take them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from control_plane.model.binding import Binding

#: How long bindings are kept; other processes' changes of pods are looked for as often.
SECONDS = 2.0
#: Projects whose bindings are kept.
PROJECTS = 20_000


class BindingStore(Protocol):
    """The part of the store that has bindings."""

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        """Read bindings, of one project or of one pod if told."""

    async def bind(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        """Bind a project in a zone unless it is bound there; gives the binding that holds."""

    async def rebind(self, binding: Binding, pod_id: str) -> Binding:
        """Move a binding unless somebody else did; gives the binding that holds."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A project's bindings, the oldest first, until when they are kept."""

    bindings: tuple[Binding, ...]
    until: float


class Bindings:
    """Reads bindings, those just read from memory, and writes them."""

    def __init__(self, store: BindingStore, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing kept."""
        self._store = store
        self._clock = clock
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._reading: dict[str, asyncio.Task[tuple[Binding, ...]]] = {}

    async def of(self, project_id: str) -> tuple[Binding, ...]:
        """Give a project's bindings, the oldest first; callers at once share the question."""
        entry = self._kept.get(project_id)
        if entry is not None and entry.until > self._clock():
            return entry.bindings
        task = self._reading.get(project_id)
        if task is None:
            task = asyncio.create_task(self._read(project_id))
            self._reading[project_id] = task
            task.add_done_callback(lambda done: self._end(project_id, done))
        return await asyncio.shield(task)

    async def bind(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        """Bind a project in a zone unless it is bound there; gives the binding that holds."""
        held = await self._store.bind(project_id, availability_zone, pod_id)
        self._forget(project_id)
        return held

    async def rebind(self, binding: Binding, pod_id: str) -> Binding:
        """Move a binding unless somebody else did; gives the binding that holds."""
        held = await self._store.rebind(binding, pod_id)
        self._forget(binding.project_id)
        return held

    async def _read(self, project_id: str) -> tuple[Binding, ...]:
        found = await self._store.bindings(project_id=project_id)
        found.sort(key=lambda binding: (binding.created_at, binding.id))
        if asyncio.current_task() is self._reading.get(project_id):
            self._keep(project_id, tuple(found))
        return tuple(found)

    def _keep(self, project_id: str, bindings: tuple[Binding, ...]) -> None:
        self._kept[project_id] = _Entry(bindings, self._clock() + SECONDS)
        self._kept.move_to_end(project_id)
        if len(self._kept) > PROJECTS:
            self._kept.popitem(last=False)

    def _forget(self, project_id: str) -> None:
        """Drop what was kept before a change, and what is being read, perhaps from before it."""
        self._kept.pop(project_id, None)
        self._reading.pop(project_id, None)

    def _end(self, project_id: str, task: asyncio.Task[tuple[Binding, ...]]) -> None:
        if self._reading.get(project_id) is task:
            del self._reading[project_id]
        # Who waited may have left: an error that nobody takes is not worth a line in the log.
        if not task.cancelled():
            task.exception()
