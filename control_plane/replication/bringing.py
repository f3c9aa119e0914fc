"""Bring to a pod what the user of a request has elsewhere, before the request names it there.

Key pairs belong to users. A pod that comes later is given those of the users that Keystone lists
for the gateway (`giving.py`), which it need not do. So the pod that is to get a request with the
name of a key pair is asked for it, once; what it lacks is made there as another pod has it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
import structlog

from control_plane.directory.allowance import Allowance
from control_plane.model.caller import Caller
from control_plane.model.errors import NOT_JSON, PodUnreachable, Trio2oError, unavailable
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.pods.view import View
from control_plane.replication.own import Own
from control_plane.replication.promise import Promise, PromiseStore
from control_plane.replication.state import Asker
from control_plane.replication.write import Write
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

#: How long a pod that has something is not asked for it again, seconds: so long an operator waits
#: at most whose hand took it out of the pod.
SECONDS = 600.0
#: Things in pods that are remembered.
SIZE = 50_000
#: Pods that are asked before all others. What was made by way of the gateway is in each that was
#: there at the time, so the oldest have it.
FEW = 3


class WaitingStore(PromiseStore, Protocol):
    """The part of the store that keeps writes."""

    async def waiting(self) -> set[tuple[str, str]]:
        """Read which (pod, subject) have intents that nobody is at."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Something of a user's, told by its name."""

    service: Service
    kind: Resource
    caller: Caller
    name: str

    @property
    def path(self) -> str:
        """Where an administrator finds it in a pod."""
        place = self.kind.probe.format(id=quote(self.name, safe=""))
        return f"{place}?user_id={quote(self.caller.user_id, safe='')}"

    @property
    def noun(self) -> str:
        """What users read of it."""
        return f"{self.kind.name.replace('_', ' ')} {self.name}"

    @property
    def since(self) -> str:
        """The microversion that shows all of it, and whose it is."""
        return self.kind.definition.since if self.kind.definition else ""


#: (kind, user, name, id of the pod).
_Key = tuple[str, str, str, str]


class Bringing:
    """Sees to it that a pod has what a request names, and remembers who has what."""

    def __init__(
        self,
        asker: Asker,
        own: Own,
        store: WaitingStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what asks pods, as whom, and what keeps writes under way; nothing is known yet."""
        self._asker = asker
        self._own = own
        self._store = store
        self._clock = clock
        self._allowance = Allowance(clock)
        #: What pods have, and until when it is believed.
        self._known: OrderedDict[_Key, float] = OrderedDict()
        self._under_way: dict[_Key, asyncio.Task[None]] = {}

    async def bring(self, view: View, thing: Owned, pod: Pod) -> None:
        """Have a thing in a pod if it is in any; requests at the same time share the work.

        What no pod has is for the pod to refuse, in its own words. Refused(503) when it may be in a
        pod that does not answer; Refused(429) when the project named too much that nobody has.
        """
        key = (thing.kind.name, thing.caller.user_id, thing.name, pod.id)
        if self._known.get(key, 0.0) > self._clock():
            self._known.move_to_end(key)
            return
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._see_to(view, thing, pod, key))
            task.add_done_callback(lambda done: self._end(key, done))
        await asyncio.shield(task)

    def _end(self, key: _Key, task: asyncio.Task[None]) -> None:
        del self._under_way[key]
        # Who waited may have left: an error that nobody takes is not worth a line in the log.
        if not task.cancelled():
            task.exception()

    async def _see_to(self, view: View, thing: Owned, pod: Pod, key: _Key) -> None:
        try:
            write = await self._speak(thing)
        except Trio2oError as error:
            # Most pods have what is named: the request goes on.
            log.warning("not_looked_for", kind=thing.kind.name, error=str(error))
            return
        answer = await self._ask(thing, pod, write)
        if answer.status == HTTPStatus.NOT_FOUND:
            if not await self._fetch(view, thing, pod, write):
                return
        elif answer.status >= HTTPStatus.BAD_REQUEST:
            log.warning("not_looked_for", kind=thing.kind.name, pod=pod.name, status=answer.status)
            return
        self._known[key] = self._clock() + SECONDS
        if len(self._known) > SIZE:
            self._known.popitem(last=False)

    async def _fetch(self, view: View, thing: Owned, pod: Pod, write: Write) -> bool:
        """Make in a pod what another one has; False when that cannot be."""
        self._allowance.take(thing.caller.project_id)
        # What is still to be taken out of a pod is not to come back by it.
        behind = {name for name, subject in await self._store.waiting() if subject == write.subject}
        others = sorted(
            (
                other
                for other in view.with_service(thing.service.name)
                if other.id != pod.id and other.name not in behind
            ),
            key=lambda other: (not view.reachable(other.name), other.number),
        )
        found = await self._find(thing, others, write)
        if found is None:
            return False
        self._allowance.give_back(thing.caller.project_id)
        return await self._copy(thing, found, pod, write)

    async def _find(self, thing: Owned, pods: Sequence[Pod], write: Write) -> PodAnswer | None:
        """Have a pod that has a thing show it; Refused(503) when nobody can say who has it."""
        silent = False
        for some in (pods[:FEW], pods[FEW:]):
            asked = (self._ask(thing, pod, write) for pod in some)
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(answer, PodUnreachable):
                    silent = True
                elif isinstance(answer, BaseException):
                    raise answer
                elif answer.status == HTTPStatus.OK:
                    return answer
                else:
                    silent = silent or answer.status != HTTPStatus.NOT_FOUND
        if silent:
            message = f"The {thing.noun} could not be looked up everywhere; try again."
            raise unavailable(message)
        return None

    async def _copy(self, thing: Owned, found: PodAnswer, pod: Pod, write: Write) -> bool:
        """Make it as one pod shows it, while nobody else changes it in any."""
        body = _body(thing, found)
        if body is None:
            return False
        user, project = thing.caller.user_id, thing.caller.project_id
        pattern = Intent(
            "",
            write.subject,
            write.service.name,
            "POST",
            write.rest,
            body,
            thing.since,
            user,
            project,
        )
        async with Promise(self._store, pattern, [pod], alone=True) as promise:
            try:
                # It may have been taken away before everybody else had to wait.
                now = _body(thing, await self._ask(thing, found.pod, write))
                return now == body and await self._make(thing, pod, write, body)
            finally:
                await promise.abandon()

    async def _make(self, thing: Owned, pod: Pod, write: Write, body: Any) -> bool:
        request = write.request("POST", write.rest, msgspec.json.encode(body))
        answer = await self._asker.ask(pod, request)
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status != HTTPStatus.CONFLICT:
            log.warning("not_brought", kind=thing.kind.name, pod=pod.name, status=answer.status)
            return False
        log.info("brought", kind=thing.kind.name, pod=pod.name, user=thing.caller.user_id)
        return True

    async def _speak(self, thing: Owned) -> Write:
        """Make the gateway's own request of which its asking and making are parts."""
        rows = thing.service.operations
        row = next(row for row in rows if row.creates and row.answer == thing.kind.name)
        write = await self._own.speak(thing.service, thing.since, operation=row, method="POST")
        named = {thing.kind.key: {thing.kind.merge_by: thing.name}}
        return replace(write, body=named)

    async def _ask(self, thing: Owned, pod: Pod, write: Write) -> PodAnswer:
        return await self._asker.ask(pod, write.request("GET", thing.path))


def _body(thing: Owned, answer: PodAnswer) -> dict[str, dict[str, Any]] | None:
    """Write what makes a thing as a pod shows it; None when it shows none."""
    if answer.status != HTTPStatus.OK or thing.kind.definition is None:
        return None
    try:
        item = msgspec.json.decode(answer.body)[thing.kind.key]
        fields = {name: item[name] for name in thing.kind.definition.fields if name in item}
    except (*NOT_JSON, KeyError, TypeError):
        return None
    return {thing.kind.key: {**fields, "user_id": thing.caller.user_id}}
