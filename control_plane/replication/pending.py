"""Carry out the intents of pods that could not be told at the time, and of those that died.

Intents for one subject go in their order; different subjects do not wait for each other. A create
that may have reached its pod looks for the thing before it is sent again. Of a write that is held,
because who began it died before any pod was known to agree, the first pod that answers decides.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol

import structlog

from control_plane.model.errors import PodUnreachable, Unrouted
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.bodies import completed
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.replay import Replay
from control_plane.replication.restoring import RESTORE
from control_plane.replication.state import Asker, Declined
from control_plane.replication.write import Write, is_mapped

log = structlog.get_logger()

#: How long a replica has to carry an intent out before another one may try, seconds.
LEASE_SECONDS = 120.0
#: The longest wait between two tries, seconds.
LONGEST_WAIT = 5.0
_AGAIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, 429})
_REASON = 500


class IntentStore(Protocol):
    """The part of the store that keeps intents."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read intents in their order."""

    async def claim(
        self, intent_id: int, seconds: float, *, sent: bool, held: bool = False
    ) -> bool:
        """Take an intent that is due, and still held or not as it was read."""

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        """Let it be due again later."""

    async def refuse(self, intent_id: int, reason: str) -> None:
        """Keep it as refused for good."""

    async def finish(self, intent_id: int) -> None:
        """Take it out."""

    async def agree(self, write_id: str, pod: str, body: Any, *, over: bool = False) -> None:
        """Let the other pods be told what one has agreed to."""

    async def abandon(self, write_id: str, instead: Sequence[Intent] = ()) -> None:
        """Take a whole write out."""


class Pending:
    """Carries intents out with the gateway's own token."""

    def __init__(
        self,
        asker: Asker,
        copies: Copies,
        intents: IntentStore,
        replay: Replay,
    ) -> None:
        """Take what asks pods, what keeps intents, and what makes requests of them."""
        self._asker = asker
        self._copies = copies
        self._intents = intents
        self._replay = replay

    async def drain(self, pods: Sequence[Pod]) -> None:
        """Try every intent of some pods that is due, once."""
        names = {intent.pod for intent in await self._intents.intents() if not intent.refused}
        for pod in pods:
            if pod.name in names:
                # Read anew: what one pod says of a write that is held changes the others' part.
                intents = await self._intents.intents(pod.name)
                await self._drain(pod, [intent for intent in intents if not intent.refused])

    async def _drain(self, pod: Pod, intents: Sequence[Intent]) -> None:
        blocked: set[str] = set()
        now = datetime.now(UTC)
        waiting = [intent for intent in intents if not intent.under_way(now)]
        for intent in intents:
            if intent.subject in blocked:
                continue
            try:
                done = not intent.under_way(now) and await self._try(pod, intent, waiting)
            except PodUnreachable as error:
                wait = min(2.0**intent.attempts, LONGEST_WAIT)
                await self._intents.postpone(intent.id, wait, error.reason)
                return
            if not done:
                blocked.add(intent.subject)

    async def _try(self, pod: Pod, intent: Intent, waiting: Sequence[Intent]) -> bool:
        """Try one intent; True when the next one for its subject may go."""
        try:
            if intent.method == RESTORE:
                return await self._restore(pod, intent)
            write = await self._replay.write(intent)
        except Unrouted as error:
            # No row of the tables knows it any more; nobody can ever carry it out.
            await self._intents.refuse(intent.id, error.message)
            return True
        try:
            for name, value in write.params.items():
                if is_mapped(write.service, name):
                    await self._copies.resolve(name, value)
            request = write.to_pod(pod, self._copies)
        except Unresolved as error:
            return await self._lacking(pod, intent, error, alone=len(waiting) == 1)
        sent, held = write.operation.creates, intent.held
        if not await self._intents.claim(intent.id, LEASE_SECONDS, sent=sent, held=held):
            return False
        if intent.sent and write.operation.creates:
            there = await self._replay.existing(pod, write)
            if there is not None:
                await self._done(intent, completed(write, there))
                return True
        answer = await self._asker.ask(pod, request)
        return await self._judge(pod, intent, write, answer)

    async def _restore(self, pod: Pod, intent: Intent) -> bool:
        """Make a definition again what it was before a write that another pod refused."""
        if not await self._intents.claim(intent.id, LEASE_SECONDS, sent=False):
            return False
        try:
            await self._replay.restore(pod, intent)
        except (Declined, Unresolved) as error:
            log.warning("intent_refused", pod=pod.name, subject=intent.subject, reason=str(error))
            await self._intents.refuse(intent.id, str(error))
            return True
        await self._intents.finish(intent.id)
        return True

    async def _done(self, intent: Intent, write: Write) -> None:
        """Take out what was carried out; if it was held, the other pods are told now."""
        log.info("intent_done", pod=intent.pod, subject=intent.subject, method=intent.method)
        if intent.held:
            await self._intents.agree(intent.write_id, intent.pod, write.body, over=True)
        else:
            await self._intents.finish(intent.id)

    async def _refused(self, intent: Intent, answer: PodAnswer) -> None:
        """Keep what a pod refused for good; a write that was held is then none at all."""
        log.error("intent_refused", pod=intent.pod, subject=intent.subject, status=answer.status)
        if intent.held:
            await self._intents.abandon(intent.write_id)
        else:
            await self._intents.refuse(intent.id, _told(answer))

    async def _lacking(self, pod: Pod, intent: Intent, error: Unresolved, *, alone: bool) -> bool:
        """Wait for what the intent names; forget it where nothing is on its way, and deletes."""
        await self._copies.refresh(error.resource)
        if self._copies.lacks(error.resource, error.user_id, pod.name):
            if intent.method == "DELETE" or (intent.doing and alone):
                await self._intents.finish(intent.id)
                return True
            if await self._intents.claim(intent.id, LEASE_SECONDS, sent=False, held=intent.held):
                await self._intents.postpone(intent.id, LONGEST_WAIT, str(error))
        return False

    async def _judge(self, pod: Pod, intent: Intent, write: Write, answer: PodAnswer) -> bool:
        status = answer.status
        creates = write.operation.creates
        if status < HTTPStatus.BAD_REQUEST:
            await self._replay.note(pod, write, answer)
            write = completed(write, answer)
        elif status == HTTPStatus.CONFLICT and creates and await self._replay.existing(pod, write):
            pass
        elif status == HTTPStatus.CONFLICT and intent.sent:
            pass  # what it asks for was done when it was sent the first time
        elif status == HTTPStatus.NOT_FOUND and write.params:
            # There is nothing that could be changed there; of a held write others may decide.
            await self._intents.finish(intent.id)
            return True
        elif status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = min(2.0**intent.attempts, LONGEST_WAIT)
            await self._intents.postpone(intent.id, wait, _told(answer))
            return False
        else:
            await self._refused(intent, answer)
            return True
        await self._done(intent, write)
        return True


def _told(answer: PodAnswer) -> str:
    """Say in one line what a pod answered."""
    text = " ".join(answer.body[:_REASON].decode(errors="replace").split())
    return f"{answer.status}: {text}"
