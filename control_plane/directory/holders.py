"""Which pods have a copy of a replicated thing: an image, a flavor, a volume type.

Copies come and go, unlike owners, so this is kept for a short time only.
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from control_plane.directory.lookup import Directory, Found, Question
from control_plane.model.errors import unavailable
from control_plane.model.pod import Pod

#: How long the pods that have a copy are remembered, seconds.
HOLDERS_SECONDS = 30.0
SIZE = 20_000


#: Tells the other processes that a thing, by resource and id, has other holders.
Tell = Callable[[str, str], Awaitable[None]]


async def _nobody(_: str, __: str) -> None:
    """Tell no one: there is one process."""


class Holders:
    """Remembers for a while which pods have a replicated thing."""

    def __init__(
        self,
        directory: Directory,
        clock: Callable[[], float] = time.monotonic,
        tell: Tell = _nobody,
    ) -> None:
        """Start empty; the pods are asked through the directory."""
        self._directory = directory
        self._clock = clock
        self._tell = tell
        self._known: dict[tuple[str, str, str], tuple[float, Found]] = {}

    def kept(self, resource: str, resource_id: str, project_id: str) -> Found | None:
        """Say what was found on behalf of a project a short time ago; None if nothing was."""
        entry = self._known.get((resource, resource_id, project_id))
        return entry[1] if entry is not None and entry[0] > self._clock() else None

    async def of(self, question: Question, pods: Sequence[Pod]) -> Found:
        """Say which of `pods` have the thing, and which could not be asked."""
        key = (question.resource, question.id, question.project_id)
        kept = self.kept(*key)
        if kept is not None:
            return kept
        found = await self._directory.ask(question, pods)
        if found.holders and not found.missing:
            if len(self._known) >= SIZE:
                self._known.clear()
            self._known[key] = (self._clock() + HOLDERS_SECONDS, found)
        return found

    async def first(self, question: Question, pods: Sequence[Pod]) -> Pod | None:
        """Pick the first pod in order that has the thing; None when every pod said 404.

        Raises Refused(503) when none has it and one could not be asked.
        """
        found = await self.of(question, pods)
        for pod in pods:
            if pod.name in found.holders:
                return pod
        if found.missing:
            message = f"The {question.resource} could not be looked up everywhere; try again."
            raise unavailable(message)
        return None

    async def forget(self, resource: str, resource_id: str) -> None:
        """Have every process drop what it knows: a copy was made or removed."""
        self.drop(resource, resource_id)
        await self._tell(resource, resource_id)

    def drop(self, resource: str, resource_id: str) -> None:
        """Drop what is known of a thing in this process."""
        for key in [key for key in self._known if key[:2] == (resource, resource_id)]:
            del self._known[key]
