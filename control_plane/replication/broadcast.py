"""Make one write in every pod, or in none.

    an intent a pod ──► the first that can: its answer is the client's
                        └─► the others at once ──┬─► all agree: the intents are taken out
                                                 ├─► one refuses: what was done is put back
                                                 └─► one cannot be asked: its intent stays

A pod that says 404 where another has the thing is no refusal: there is nothing there to change. A
pod with intents for the same subject is told in its turn and not before.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

import structlog

from control_plane.model.caller import Caller
from control_plane.model.errors import PodUnreachable, Trio2oError, unavailable
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.bodies import completed
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.kept import Kept
from control_plane.replication.made import made_id
from control_plane.replication.promise import Promise, PromiseStore
from control_plane.replication.state import Asker
from control_plane.replication.undo import Undo
from control_plane.replication.write import Write, is_mapped
from control_plane.services.reference import references

log = structlog.get_logger()


class IntentStore(PromiseStore, Protocol):
    """The part of the store that keeps intents."""

    async def waiting(self) -> set[tuple[str, str]]:
        """Read which (pod, subject) have intents that nobody is at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for the client, from one pod, and the pods that are still to be told."""

    answer: PodAnswer
    missing: tuple[Pod, ...] = ()


class Broadcast:
    """Carries writes out in all pods."""

    def __init__(
        self, asker: Asker, copies: Copies, intents: IntentStore, kept: Kept | None = None
    ) -> None:
        """Take what asks pods, knows their ids, keeps what is to be done and what was set."""
        self._asker = asker
        self._copies = copies
        self._intents = intents
        self._kept = kept

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
        pattern = _intent(write, caller, version)
        async with Promise(self._intents, pattern, [*pods, *disabled]) as promise:
            run = _Run(self, write, pods, pattern, await self._intents.waiting())
            return await run.outcome(promise, disabled)


class _Run:
    """One write under way."""

    def __init__(
        self,
        parts: Broadcast,
        write: Write,
        pods: Sequence[Pod],
        pattern: Intent,
        waiting: set[tuple[str, str]],
    ) -> None:
        self._asker = parts._asker  # noqa: SLF001  # one class in two parts
        self._copies = parts._copies  # noqa: SLF001
        self._intents = parts._intents  # noqa: SLF001
        self._values = parts._kept  # noqa: SLF001
        self._write = write
        self._pods = pods
        self._pattern = pattern
        self._behind = [pod for pod in pods if (pod.name, write.subject) in waiting]
        self._waiting = {pod for pod, _ in waiting}
        self._silent: list[Pod] = []
        self._lost: list[PodAnswer] = []
        self._done: list[PodAnswer] = []
        self._undo = Undo(self._asker, self._copies, write)

    async def outcome(self, promise: Promise, disabled: Sequence[Pod]) -> Outcome:
        """Make the write, which is written down."""
        try:
            await self._undo.remember([pod for pod in self._pods if pod not in self._behind])
            home = await self._first()
        except Trio2oError:
            await promise.abandon()
            raise
        if home.status >= HTTPStatus.BAD_REQUEST:
            await promise.abandon()
            return Outcome(home)
        self._done.append(home)
        self._write = completed(self._write, home)
        await promise.agree(home.pod, self._write.body)
        refused = await self._others(home)
        if refused is not None:
            await promise.abandon(await self._put_back())
            return Outcome(refused)
        late = tuple(pod for pod in self._pods if pod in (*self._silent, *self._behind))
        await self._note()
        await promise.settle({pod.name: self._reason(pod) for pod in (*late, *disabled)})
        return Outcome(home, late)

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

    def _reason(self, pod: Pod) -> tuple[bool, str]:
        """Say of a pod that is told later whether the write may have reached it, and why."""
        if pod in self._silent:
            return True, "the pod did not answer"
        return False, "waits for its turn"

    async def _put_back(self) -> list[Intent]:
        """Undo in each pod what it did; gives what cannot be undone now and is undone later."""
        later: list[Intent] = []
        for answer in self._done:
            try:
                await self._undo.put_back(answer)
            except Trio2oError as error:
                log.exception("write_not_undone", pod=answer.pod.name)
                reason = f"is to be undone: {error}"
                pattern = replace(self._pattern, pod=answer.pod.name, reason=reason)
                later += [
                    replace(pattern, method=step.method, path=step.path, body=step.body)
                    for step in self._undo.steps(answer)
                ]
        return later

    async def _note(self) -> None:
        """Keep the ids of what was made and the values that were set, drop those that are gone."""
        write = self._write
        if write.operation.kept and self._values is not None:
            await self._values.note(write, self._pattern.version)
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


def _intent(write: Write, caller: Caller, version: str) -> Intent:
    """Say what each pod is to be told."""
    return Intent(
        "",
        write.subject,
        write.service.name,
        write.method,
        write.rest,
        write.body,
        version,
        caller.user_id,
        caller.project_id,
    )


def _values(write: Write, path: str) -> Sequence[str]:
    if path.startswith("?"):
        return [value for key, value in write.query if key == path[1:]]
    return list(references(write.body, path))
