"""Put back what a write did in some pods before another one refused it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import msgspec

from control_plane.model.errors import NOT_JSON, PodUnreachable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.kept import named, read_kept
from control_plane.replication.made import removal_of
from control_plane.replication.own import version_headers
from control_plane.replication.restoring import RESTORE, plain
from control_plane.replication.state import Asker, Copyist, Declined, State
from control_plane.replication.write import Write
from control_plane.services.operation import Ref, Releases, Resource

_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Step:
    """A request that undoes, in the users' words."""

    method: str
    path: str
    body: Any = None


class Undo:
    """Remembers what pods had before a write, as far as it takes to have it again."""

    def __init__(self, asker: Asker, copies: Copies, write: Write) -> None:
        """Take the write that may have to be undone; everything is asked as its caller."""
        self._asker = asker
        self._copies = copies
        self._write = write
        self._before: dict[str, State | None] = {}
        #: None: there was no value at all.
        self._kept: dict[str, dict[str, Any] | None] = {}
        #: The users' ids of what was bound to the subject.
        self._bound: dict[str, list[str]] = {}
        self._resource = _subject(write)
        kind = self._resource.definition if self._resource else None
        since = kind.since if kind else ""
        headers = {**write.headers, **(version_headers(write.service, since) if since else {})}
        self._copyist = Copyist(asker, copies, replace(write, headers=headers))

    async def remember(self, pods: Sequence[Pod]) -> None:
        """Read what the pods have, unless one pod alone cannot disagree or nothing is there yet."""
        if len(pods) > 1 and not self._write.operation.creates:
            await asyncio.gather(*(self._remember(pod) for pod in pods))

    async def _remember(self, pod: Pod) -> None:
        write = self._write
        try:
            if write.operation.releases is not None:
                self._bound[pod.name] = await self._read_bound(pod, write.operation.releases)
            elif self._resource is not None:
                pod_id = self._pod_id(pod)
                self._before[pod.name] = await self._copyist.read(pod, self._resource, pod_id)
            elif write.operation.kept:
                self._kept[pod.name] = await read_kept(self._asker, pod, write)
        except (PodUnreachable, Unresolved, Declined, *NOT_JSON, KeyError, TypeError):
            return

    async def _read_bound(self, pod: Pod, bound: Releases) -> list[str]:
        row = replace(self._write.operation, path=bound.path)
        ask = replace(self._write, operation=row, method="GET", raw=None, body=None)
        answer = await self._asker.ask(pod, ask.to_pod(pod, self._copies))
        if answer.status >= _FIRST_ERROR:
            raise Declined(answer, f"GET {ask.rest}")
        items = msgspec.json.decode(answer.body)[bound.key]
        return [self._copies.user_id(bound.resource, pod.name, item["id"]) for item in items]

    async def put_back(self, answer: PodAnswer) -> None:
        """Undo what a pod did; Declined or PodUnreachable when that does not work either."""
        pod, write = answer.pod, self._write
        if write.operation.creates:
            await self._remove(answer)
        elif write.operation.undo:
            for back in self._opposites(pod):
                await self._do(pod, back)
        elif self._resource is not None and pod.name in self._before:
            await self._restore(pod, self._resource, self._before[pod.name])
        elif pod.name in self._kept:
            await self._set(pod)

    def steps(self, answer: PodAnswer) -> list[Step]:
        """Say how what a pod did can be undone later; empty when nobody knows what was before."""
        pod, write = answer.pod, self._write
        if write.operation.creates:
            removal = removal_of(write, answer)
            return [Step(*removal)] if removal else []
        if write.operation.undo:
            return [Step("GET", back.rest) for back in self._opposites(pod)]
        if self._resource is not None and pod.name in self._before:
            thing = quote(next(iter(write.params.values())), safe="")
            path = self._resource.probe.format(id=thing)
            return [Step(RESTORE, path, plain(self._before[pod.name]))]
        if pod.name in self._kept:
            values = self._kept[pod.name]
            if values is None:
                return [Step("DELETE", write.rest)]
            told = named(values, self._names(), {})
            for ref in write.operation.copies:
                name = ref.path.rpartition(".")[2]
                if name in told:
                    told[name] = self._copies.user_id(ref.resource, pod.name, told[name])
            return [Step("PUT", write.rest, {write.operation.kept: told})]
        return []

    def _opposites(self, pod: Pod) -> list[Write]:
        """Make the requests that bind again what the write released, or the reverse."""
        write = self._write
        row = replace(write.operation, path=write.operation.undo)
        back = replace(write, operation=row, method="GET", raw=None, body=None)
        bound = write.operation.releases
        if bound is None:
            return [back]
        ref = Ref(bound.resource, f"?{bound.parameter}")
        back = replace(back, operation=replace(row, copies=(ref,)))
        names = self._bound.get(pod.name, ())
        return [replace(back, query=[(bound.parameter, name)]) for name in names]

    async def _remove(self, answer: PodAnswer) -> None:
        removal = removal_of(self._write, answer)
        if removal is None:
            return
        gone = await self._asker.ask(answer.pod, self._write.request(*removal))
        if gone.status >= _FIRST_ERROR:
            raise Declined(gone, " ".join(removal))

    async def _restore(self, pod: Pod, resource: Resource, before: State | None) -> None:
        pod_id = self._pod_id(pod)
        present = await self._copyist.read(pod, resource, pod_id)
        made = await self._copyist.alike(pod, resource, pod_id, before, present)
        if resource.mapped and before is not None and made and made != pod_id:
            # The pod gave it a new id; users keep theirs.
            await self._copies.replace(resource.name, pod.name, pod_id, made)

    async def _set(self, pod: Pod) -> None:
        """Set what was there before, by the names by which the write set it."""
        before, key, rest = self._kept[pod.name], self._write.operation.kept, self._write.rest
        raw = None
        if before is not None:
            now = await read_kept(self._asker, pod, self._write) or {}
            told = named(before, self._names(), now)
            if not told:
                return
            raw = json.dumps({key: told}).encode()
        method = "DELETE" if raw is None else "PUT"
        request = self._write.request(method, rest, raw)
        headers = {**request.headers, "content-type": "application/json"}
        answer = await self._asker.ask(pod, replace(request, headers=headers))
        if answer.status >= _FIRST_ERROR:
            raise Declined(answer, f"{method} {rest}")

    def _names(self) -> Sequence[str]:
        """Give the names by which values are set: those the write names, else those of its row."""
        operation, body = self._write.operation, self._write.body
        told = body.get(operation.kept, {}) if isinstance(body, dict) else {}
        return tuple(told) or operation.sets

    async def _do(self, pod: Pod, write: Write) -> None:
        answer = await self._asker.ask(pod, write.to_pod(pod, self._copies))
        if answer.status >= _FIRST_ERROR:
            raise Declined(answer, f"{write.method} {write.rest}")

    def _pod_id(self, pod: Pod) -> str:
        name, thing = next(iter(self._write.params.items()))
        return self._copies.pod_id(name, thing, pod.name)


def _subject(write: Write) -> Resource | None:
    """Find the definition that a write changes."""
    name = next(iter(write.params), "")
    resource = write.service.resources.get(name)
    return resource if resource is not None and resource.definition is not None else None
