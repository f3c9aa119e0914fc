"""Make one write in every pod, or in none.

    the pods in order ──► the first that can: its answer is the client's
                          └─► the others at once ──┬─► all agree: done
                                                   ├─► one refuses: what was done is put back
                                                   └─► one cannot be asked: an intent, for later

A pod that says 404 where another has the thing is no refusal: there is nothing there to change. A
pod with intents for the same subject is told in its turn and not before.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
import structlog

from control_plane.model.caller import Caller
from control_plane.model.errors import PodUnreachable, Trio2oError, unavailable
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.made import made_id, removal_of
from control_plane.replication.state import Asker
from control_plane.replication.undo import Undo
from control_plane.replication.write import Write, is_mapped
from control_plane.services.reference import references

log = structlog.get_logger()


class IntentStore(Protocol):
    """The part of the store that keeps intents."""

    async def waiting(self) -> set[tuple[str, str]]:
        """Read which (pod, subject) have intents."""

    async def add_intents(self, wanted: Sequence[Intent]) -> None:
        """Write new intents."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for the client, from one pod, and the pods that are still to be told."""

    answer: PodAnswer
    missing: tuple[Pod, ...] = ()


class Broadcast:
    """Carries writes out in all pods."""

    def __init__(self, asker: Asker, copies: Copies, intents: IntentStore) -> None:
        """Take what asks pods, knows their ids, and keeps what could not be done."""
        self._asker = asker
        self._copies = copies
        self._intents = intents

    async def carry_out(
        self,
        write: Write,
        pods: Sequence[Pod],
        caller: Caller,
        version: str,
        disabled: Sequence[Pod] = (),
    ) -> Outcome:
        """Make a write in `pods`, which stand in the order in which they are asked.

        `disabled` are pods that are not asked at all and are told when they are enabled again.
        Refused(503) when no pod answers. An answer of 400 and above means that no pod has changed.
        """
        for name, value in write.params.items():
            if is_mapped(write.service, name):
                await self._copies.resolve(name, value)
        for ref in write.operation.copies:
            for value in _values(write, ref.path):
                await self._copies.resolve(ref.resource, value)
        waiting = await self._intents.waiting()
        run = _Run(self, write, pods, caller, version, waiting)
        return await run.outcome(disabled)


class _Run:
    """One write under way."""

    def __init__(
        self,
        parts: Broadcast,
        write: Write,
        pods: Sequence[Pod],
        caller: Caller,
        version: str,
        waiting: set[tuple[str, str]],
    ) -> None:
        self._asker = parts._asker  # noqa: SLF001  # one class in two parts
        self._copies = parts._copies  # noqa: SLF001
        self._intents = parts._intents  # noqa: SLF001
        self._write = write
        self._pods = pods
        self._caller = caller
        self._version = version
        self._behind = [pod for pod in pods if (pod.name, write.subject) in waiting]
        self._waiting = {pod for pod, _ in waiting}
        self._silent: list[Pod] = []
        self._lost: list[PodAnswer] = []
        self._done: list[PodAnswer] = []
        self._undo = Undo(self._asker, self._copies, write)

    async def outcome(self, disabled: Sequence[Pod]) -> Outcome:
        await self._undo.remember([pod for pod in self._pods if pod not in self._behind])
        home = await self._first()
        if home.status >= HTTPStatus.BAD_REQUEST:
            return Outcome(home)
        self._done.append(home)
        self._write = completed(self._write, home)
        refused = await self._others(home)
        if refused is not None:
            await self._put_back()
            return Outcome(refused)
        late = [*self._silent, *self._behind]
        told_later = [*(pod for pod in self._pods if pod in late), *disabled]
        await self._intents.add_intents([self._intent(pod) for pod in told_later])
        await self._note()
        return Outcome(home, tuple(pod for pod in self._pods if pod in late))

    async def _first(self) -> PodAnswer:
        """Ask pods in order until one can; a write that got no answer is not repeated there."""
        for pod in self._pods:
            if pod in self._behind:
                continue
            try:
                answer = await self._asker.ask(pod, self._write.to_pod(pod, self._copies))
            except PodUnreachable:
                self._silent.append(pod)
                continue
            except Unresolved:
                self._lack(pod)
                continue
            if self._is_lost(answer):
                self._lost.append(answer)
                continue
            return answer
        if self._lost and not self._silent and not self._behind:
            return self._lost[0]
        message = "No part of the cloud can carry this out now."
        raise unavailable(message)

    async def _others(self, home: PodAnswer) -> PodAnswer | None:
        """Ask the pods behind the first one at once; gives the refusal, if there is one."""
        asked = {answer.pod.name for answer in (home, *self._lost)}
        others = [
            pod
            for pod in self._pods[self._pods.index(home.pod) :]
            if pod.name not in asked and pod not in self._behind
        ]
        answers = await asyncio.gather(*(self._tell(pod) for pod in others))
        refused = None
        for answer in answers:
            if answer is None or self._is_lost(answer):
                continue
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._silent.append(answer.pod)
            elif answer.status >= HTTPStatus.BAD_REQUEST:
                refused = refused or answer
            else:
                self._done.append(answer)
        return refused

    async def _tell(self, pod: Pod) -> PodAnswer | None:
        try:
            return await self._asker.ask(pod, self._write.to_pod(pod, self._copies))
        except PodUnreachable:
            self._silent.append(pod)
        except Unresolved:
            self._lack(pod)
        return None

    def _is_lost(self, answer: PodAnswer) -> bool:
        """Whether a pod only says that it does not have what is to be changed."""
        return answer.status == HTTPStatus.NOT_FOUND and bool(self._write.params)

    def _lack(self, pod: Pod) -> None:
        """Note a pod without a copy: it is told later if one is on its way, else left alone."""
        if pod.name in self._waiting:
            self._behind.append(pod)

    def _intent(self, pod: Pod) -> Intent:
        write = self._write
        return Intent(
            pod.name,
            write.subject,
            write.service.name,
            write.method,
            write.rest,
            write.body,
            self._version,
            self._caller.user_id,
            self._caller.project_id,
            sent=pod in self._silent,
            reason="the pod did not answer" if pod in self._silent else "waits for its turn",
        )

    async def _put_back(self) -> None:
        """Undo in each pod what it did; a create that cannot be undone now is undone later."""
        for answer in self._done:
            try:
                await self._undo.put_back(answer)
            except Trio2oError as error:
                log.exception("write_not_undone", pod=answer.pod.name)
                removal = removal_of(self._write, answer)
                if removal is not None:
                    intent = replace(self._intent(answer.pod), sent=False, reason=str(error))
                    method, path = removal
                    late = replace(intent, method=method, path=path, body=None)
                    await self._intents.add_intents([late])

    async def _note(self) -> None:
        """Keep the ids of what was made, drop those of what is gone."""
        write = self._write
        if write.operation.creates:
            resource = write.service.resources[write.operation.answer]
            if resource.mapped:
                made = {answer.pod.name: made_id(answer, resource) for answer in self._done}
                name = next(references(write.body, f"{resource.key}.{resource.merge_by}"), "")
                await self._copies.record(
                    resource.name, name, {pod: pod_id for pod, pod_id in made.items() if pod_id}
                )
            return
        if write.method == "DELETE" and len(write.params) == 1:
            [(name, thing)] = write.params.items()
            if is_mapped(write.service, name):
                gone = [answer.pod.name for answer in (*self._done, *self._lost)]
                await self._copies.forget(name, thing, gone)


def completed(write: Write, home: PodAnswer) -> Write:
    """Put what the first pod made up (a generated key) into the body for the others."""
    if not write.operation.copied or not isinstance(write.body, dict):
        return write
    try:
        answer = msgspec.json.decode(home.body)
    except msgspec.DecodeError:
        return write
    body = msgspec.json.decode(msgspec.json.encode(write.body))
    for path in write.operation.copied:
        value = next(iter(references(answer, path)), None)
        parent, _, name = path.rpartition(".")
        target: Any = body
        for part in parent.split("."):
            target = target[part]
        if value is not None:
            target[name] = value
    return replace(write, body=body, raw=json.dumps(body).encode())


def _values(write: Write, path: str) -> Sequence[str]:
    if path.startswith("?"):
        return [value for key, value in write.query if key == path[1:]]
    return list(references(write.body, path))


def chosen(write: Write, made_up: Mapping[str, str]) -> Write:
    """Put ids that were made up here into the body where the caller named none."""
    if not isinstance(write.body, dict) or not made_up:
        return write
    body = msgspec.json.decode(msgspec.json.encode(write.body))
    changed = False
    for path, value in made_up.items():
        key, _, name = path.rpartition(".")
        holder = body.get(key)
        if isinstance(holder, dict) and holder.get(name) is None:
            holder[name] = value
            changed = True
    return replace(write, body=body, raw=json.dumps(body).encode()) if changed else write
