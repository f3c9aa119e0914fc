"""Put back what a write did in some pods before another one refused it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.model.errors import PodUnreachable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.made import removal_of
from control_plane.replication.own import version_headers
from control_plane.replication.state import Asker, Copyist, Declined, State
from control_plane.replication.write import Write, filled
from control_plane.services.operation import Resource

_FIRST_ERROR = 400


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
            if self._resource is not None:
                pod_id = self._pod_id(pod)
                self._before[pod.name] = await self._copyist.read(pod, self._resource, pod_id)
            elif write.operation.kept:
                path = filled(write.operation.path, write.params)
                answer = await self._asker.ask(pod, write.request("GET", path))
                if answer.status == HTTPStatus.NOT_FOUND:
                    self._kept[pod.name] = None
                elif answer.status < _FIRST_ERROR:
                    self._kept[pod.name] = msgspec.json.decode(answer.body)[write.operation.kept]
        except (PodUnreachable, Unresolved, Declined, msgspec.DecodeError, KeyError):
            return

    async def put_back(self, answer: PodAnswer) -> None:
        """Undo what a pod did; Declined or PodUnreachable when that does not work either."""
        pod, write = answer.pod, self._write
        if write.operation.creates:
            await self._remove(answer)
        elif write.operation.undo:
            row = replace(write.operation, path=write.operation.undo)
            back = replace(write, operation=row, method="GET", raw=None, body=None)
            await self._do(pod, back)
        elif self._resource is not None and pod.name in self._before:
            await self._restore(pod, self._resource, self._before[pod.name])
        elif pod.name in self._kept:
            await self._set(pod, self._kept[pod.name])

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

    async def _set(self, pod: Pod, values: dict[str, Any] | None) -> None:
        """Set what was there before, by the names by which the write set it."""
        key, path = (
            self._write.operation.kept,
            filled(self._write.operation.path, self._write.params),
        )
        raw = None
        if values is not None:
            named = self._write.body.get(key, {}) if isinstance(self._write.body, dict) else {}
            # A default type is set as `volume_type` and shown as `volume_type_id`.
            old = {name: values.get(name, values.get(f"{name}_id")) for name in named}
            held = {name: value for name, value in old.items() if value is not None}
            raw = json.dumps({key: held}).encode()
        method = "DELETE" if raw is None else "PUT"
        answer = await self._asker.ask(pod, self._write.request(method, path, raw))
        if answer.status >= _FIRST_ERROR:
            raise Declined(answer, f"{method} {path}")

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
