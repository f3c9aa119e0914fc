"""A write for all pods that is written down before the first pod is told.

    begin ── an intent a pod, held ──► a pod agrees ── the others' are held no more ──► settle

Whoever began it renews its lease until it has ended. When that process dies, the intents fall due
and the replicator carries them out: what is held is decided by the first pod that answers, and
what is not is made in the pods that are still to be told.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import structlog

from control_plane.model.errors import unavailable
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod

log = structlog.get_logger()

#: After how long a write whose process says nothing is taken over, and how often it says so,
#: seconds.
LEASE_SECONDS = 20.0
RENEW_SECONDS = 5.0
#: How long a write waits for another one of the same subject, and how often it looks, seconds.
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.1


class PromiseStore(Protocol):
    """The part of the store that keeps writes under way."""

    async def begin(self, wanted: Sequence[Intent], seconds: float) -> bool:
        """Write a write down; False while another is at the same subject."""

    async def renew(self, write_id: str, seconds: float) -> None:
        """Say that who began it is still at it."""

    async def agree(self, write_id: str, pod: str, body: Any, *, over: bool = False) -> None:
        """Note that a pod carried it out."""

    async def settle(self, write_id: str, late: Mapping[str, tuple[bool, str]]) -> None:
        """End it; the pods in `late` are told later."""

    async def abandon(self, write_id: str, instead: Sequence[Intent] = ()) -> None:
        """Take it out."""


class Promise:
    """One write as it is written down; use it as an async context manager.

    When the context ends by an exception that was not foreseen, the intents stay, to be taken
    over: nobody knows how far the write came.
    """

    def __init__(
        self, store: PromiseStore, pattern: Intent, pods: Sequence[Pod], *, alone: bool = False
    ) -> None:
        """Take what one pod's intent is like, and the pods.

        One pod alone needs no promise but where, `alone`, writes for all must wait for it.
        """
        self._store = store
        self.write_id = uuid4().hex if alone or len(pods) > 1 else ""
        self._intents = [_intent(pattern, pod, self.write_id) for pod in pods]
        self._renewal: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Write it down; Refused(503) while another write of the same subject is under way."""
        if not self.write_id:
            return self
        for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
            if await self._store.begin(self._intents, LEASE_SECONDS):
                self._renewal = asyncio.create_task(self._renew())
                return self
            # Not all at once: those that begin at once are all refused.
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        message = "Another change of the same is under way; try again."
        raise unavailable(message)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the lease run out."""
        if self._renewal is not None:
            self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal

    async def agree(self, pod: Pod, body: Any) -> None:
        """Note that a pod carried it out, and what the others are to be told."""
        if self.write_id:
            await self._store.agree(self.write_id, pod.name, body)

    async def settle(self, late: Mapping[str, tuple[bool, str]]) -> None:
        """End it; `late` says by pod whether the write may have reached it, and why it is late."""
        if self.write_id:
            await self._store.settle(self.write_id, late)

    async def abandon(self, instead: Sequence[Intent] = ()) -> None:
        """Take it out: no pod has changed, but for what `instead` is to put right."""
        if self.write_id:
            await self._store.abandon(self.write_id, instead)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._store.renew(self.write_id, LEASE_SECONDS)
            except Exception:
                log.exception("write_not_renewed", write=self.write_id)


def _intent(pattern: Intent, pod: Pod, write_id: str) -> Intent:
    fields = {name: getattr(pattern, name) for name in Intent.__slots__}
    fields.update(pod=pod.name, write_id=write_id, held=True, doing=True, sent=True)
    return Intent(**{**fields, "reason": "is being told"})
