"""Which pods have a copy of a replicated thing: an image, a flavor, a volume type.

Copies come and go, unlike owners, so what the pods say is kept for a short time only. What one pod
has just made is in that pod alone: it is recorded as an owner is, and no pod need be asked. The
record is good until a copy is made or removed by way of the gateway. Since that may also be done
behind its back, an old record is still followed, and the pods are asked beside it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from control_plane.directory.lookup import Directory, Found, Question
from control_plane.model.errors import Trio2oError, unavailable
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod

log = structlog.get_logger()

#: How long the pods that have a copy are remembered, seconds.
HOLDERS_SECONDS = 30.0
SIZE = 20_000
#: For how long nobody can have copied what a pod made: it is hardly whole before.
ALONE = timedelta(minutes=10)


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
        #: Questions beside records that are under way.
        self.comparing: set[asyncio.Task[None]] = set()

    def kept(self, resource: str, resource_id: str, project_id: str) -> Found | None:
        """Say what was found on behalf of a project a short time ago; None if nothing was."""
        entry = self._known.get((resource, resource_id, project_id))
        return entry[1] if entry is not None and entry[0] > self._clock() else None

    async def of(self, question: Question, pods: Sequence[Pod]) -> Found:
        """Say which of `pods` have the thing, and which could not be asked."""
        kept = self.kept(question.resource, question.id, question.project_id)
        if kept is not None:
            return kept
        made = await self._directory.standing(question.id)
        if made is None or made.resource != question.resource:
            return await self._ask(question, pods)
        if all(pod.name != made.pod for pod in pods):
            return await self._ask(question, pods)
        found = Found((made.pod,), ())
        self._keep(question, found)
        if made.created_at is None or datetime.now(UTC) - made.created_at > ALONE:
            task = asyncio.create_task(self._compare(question, pods, found))
            self.comparing.add(task)
            task.add_done_callback(self.comparing.discard)
        return found

    async def _ask(self, question: Question, pods: Sequence[Pod]) -> Found:
        """Ask the pods, and keep what all of them said."""
        found = await self._directory.ask(question, pods)
        if found.holders and not found.missing:
            self._keep(question, found)
        return found

    def _keep(self, question: Question, found: Found) -> None:
        if len(self._known) >= SIZE:
            self._known.clear()
        key = (question.resource, question.id, question.project_id)
        self._known[key] = (self._clock() + HOLDERS_SECONDS, found)

    async def _compare(self, question: Question, pods: Sequence[Pod], recorded: Found) -> None:
        """Ask whether a record still says who has the thing; the pods are believed if not."""
        try:
            found = await self._ask(question, pods)
            if found.holders and not found.missing and found.holders != recorded.holders:
                await self._directory.mark_deleted(question.id)
        except Trio2oError as error:
            log.warning("record_not_compared", resource=question.resource, error=str(error))
        except Exception:
            log.exception("record_not_compared", resource=question.resource)

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

    async def made(self, owner: Owner) -> None:
        """Remember that a pod has just made a thing, which no other pod has."""
        await self._directory.record([owner])

    async def forget(self, resource: str, resource_id: str) -> None:
        """Have every process drop what it knows: a copy was made or removed."""
        if await self._directory.standing(resource_id) is not None:
            await self._directory.mark_deleted(resource_id)
        self.drop(resource, resource_id)
        await self._tell(resource, resource_id)

    def drop(self, resource: str, resource_id: str) -> None:
        """Drop what is known of a thing in this process."""
        for key in [key for key in self._known if key[:2] == (resource, resource_id)]:
            del self._known[key]
