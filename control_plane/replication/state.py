"""Read a whole definition from a pod, and make a pod's copy be like another.

One pair of functions undoes what some pods did when another refused, and brings a new pod up to
what the others have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from control_plane.model.errors import NOT_JSON, Trio2oError
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.replication.copies import Copies
from control_plane.replication.write import Write
from control_plane.services.definition import Definition
from control_plane.services.operation import Resource

_JSON = "application/json"


class Asker(Protocol):
    """Asks a pod."""

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request to one pod; PodUnreachable."""


class Declined(Trio2oError):
    """A pod refused a step of making its copy like the others'."""

    def __init__(self, answer: PodAnswer, step: str) -> None:
        """Keep the answer and what was asked."""
        text = answer.body[:200].decode(errors="replace")
        super().__init__(f"{step}: {answer.status} {text}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class State:
    """A definition as one pod has it, its association under the users' id."""

    fields: Mapping[str, Any]
    specs: Mapping[str, str] = field(default_factory=dict)
    access: frozenset[str] = frozenset()
    attachment: Mapping[str, Any] | None = None
    association: str | None = None

    def shown(self, name: str) -> Any:
        """Give a field, which extensions show with a prefix and write without."""
        if name in self.fields:
            return self.fields[name]
        ending = f":{name}"
        return next((value for key, value in self.fields.items() if key.endswith(ending)), None)


class Copyist:
    """Reads and writes definitions of one service, as whoever made a write."""

    def __init__(self, asker: Asker, copies: Copies, write: Write) -> None:
        """Take from `write` the service, the caller and the versions."""
        self._asker = asker
        self._copies = copies
        # The caller's own write may have had no body, or one in another form.
        headers = {**write.headers, "content-type": _JSON, "accept": _JSON}
        self._write = replace(write, headers=headers)

    async def read(self, pod: Pod, resource: Resource, pod_id: str) -> State | None:
        """Read a definition; None when the pod has none of that id."""
        kind = _kind(resource)
        answer = await self._ask(pod, "GET", resource.probe.format(id=quote(pod_id, safe="")))
        if answer is None:
            return None
        item = _decoded(answer).get(resource.key, {})
        specs: Mapping[str, str] = {}
        if kind.specs is not None:
            specs = item.get(kind.specs.key) or {}
            if not kind.specs.inline:
                specs = await self._part(pod, kind.specs.path, pod_id, kind.specs.key) or {}
        state = State(item, specs)
        access: frozenset[str] = frozenset()
        if kind.access is not None and state.shown(kind.public.rpartition(":")[2]) is False:
            entries = await self._part(pod, kind.access.path, pod_id, kind.access.key) or []
            access = frozenset(entry[kind.access.field] for entry in entries)
        attachment = None
        if kind.attachment is not None:
            found = await self._part(pod, kind.attachment.path, pod_id, "")
            attachment = found if found and found.get(kind.attachment.identity) else None
        association = None
        if kind.association is not None and item.get(kind.association.field):
            other = kind.association.resource
            local = item[kind.association.field]
            association = self._copies.user_id(other, pod.name, local)
        return State(item, specs, access, attachment, association)

    async def alike(
        self,
        pod: Pod,
        resource: Resource,
        pod_id: str,
        wanted: State | None,
        present: State | None,
    ) -> str:
        """Make a pod's copy what is wanted, given what it is; gives the pod's id of it.

        Raises Declined when the pod refuses a step and PodUnreachable when it does not answer.
        """
        path = resource.probe.format(id=quote(pod_id, safe=""))
        if wanted is None:
            if present is not None:
                await self._do(pod, "DELETE", path)
            return pod_id
        kind = _kind(resource)
        if present is None:
            pod_id = await self._make(pod, resource, kind, wanted)
            made = {**wanted.fields}
            held = wanted.specs if kind.specs is not None and kind.specs.inline else {}
            present = State(made, held)
        await self._fields(pod, resource, kind, pod_id, wanted, present)
        await self._specs(pod, resource, kind, pod_id, wanted, present)
        await self._access(pod, kind, pod_id, wanted, present)
        await self._attachment(pod, kind, pod_id, wanted, present)
        await self._association(pod, kind, pod_id, wanted, present)
        return pod_id

    async def _make(self, pod: Pod, resource: Resource, kind: Definition, wanted: State) -> str:
        body = {
            name: wanted.fields[name]
            for name in kind.fields
            if wanted.fields.get(name) not in (None, "")
        }
        if kind.specs is not None and kind.specs.inline:
            body = {**wanted.specs, **body}
        answer = await self._do(pod, "POST", kind.path, {resource.key: body})
        made = _decoded(answer).get(resource.key, {}) if answer else {}
        return str(made.get(resource.identity, ""))

    async def _fields(
        self,
        pod: Pod,
        resource: Resource,
        kind: Definition,
        pod_id: str,
        wanted: State,
        present: State,
    ) -> None:
        changed = {
            name: wanted.shown(name)
            for name in kind.changes
            if wanted.shown(name) != present.shown(name)
        }
        if changed:
            path = resource.probe.format(id=quote(pod_id, safe=""))
            await self._do(pod, "PUT", path, {resource.key: changed})

    async def _specs(
        self,
        pod: Pod,
        resource: Resource,
        kind: Definition,
        pod_id: str,
        wanted: State,
        present: State,
    ) -> None:
        if kind.specs is None:
            return
        path = kind.specs.path.format(id=quote(pod_id, safe=""))
        surplus = sorted(present.specs.keys() - wanted.specs.keys())
        changed = {
            key: value for key, value in wanted.specs.items() if present.specs.get(key) != value
        }
        if kind.specs.inline:
            if surplus:
                removal = kind.specs.removal.format(id=quote(pod_id, safe=""))
                await self._do(pod, "PUT", removal, {"keys": surplus})
            if changed:
                await self._do(pod, "PUT", path, {resource.key: changed})
            return
        for key in surplus:
            await self._do(pod, "DELETE", f"{path}/{quote(key, safe='')}")
        if changed:
            await self._do(pod, "POST", path, {kind.specs.key: changed})

    async def _access(
        self, pod: Pod, kind: Definition, pod_id: str, wanted: State, present: State
    ) -> None:
        if kind.access is None:
            return
        path = kind.access.action.format(id=quote(pod_id, safe=""))
        for action, projects in (
            (kind.access.grant, wanted.access - present.access),
            (kind.access.revoke, present.access - wanted.access),
        ):
            for project in sorted(projects):
                await self._do(pod, "POST", path, {action: {kind.access.argument: project}})

    async def _attachment(
        self, pod: Pod, kind: Definition, pod_id: str, wanted: State, present: State
    ) -> None:
        part = kind.attachment
        if part is None:
            return
        path = part.path.format(id=quote(pod_id, safe=""))
        old = {name: (present.attachment or {}).get(name) for name in part.fields}
        new = {name: (wanted.attachment or {}).get(name) for name in part.fields}
        if old == new:
            return
        body = {part.key: {name: value for name, value in new.items() if value is not None}}
        if present.attachment is None:
            await self._do(pod, "POST", path, body)
            return
        own = f"{path}/{quote(str(present.attachment[part.identity]), safe='')}"
        if wanted.attachment is None:
            await self._do(pod, "DELETE", own)
        else:
            await self._do(pod, "PUT", own, body)

    async def _association(
        self, pod: Pod, kind: Definition, pod_id: str, wanted: State, present: State
    ) -> None:
        link = kind.association
        if link is None or wanted.association == present.association:
            return
        for path, user_id in ((link.unbind, present.association), (link.bind, wanted.association)):
            if user_id:
                other = self._copies.pod_id(link.resource, user_id, pod.name)
                filled = path.format(id=quote(pod_id, safe=""), other=quote(other, safe=""))
                await self._do(pod, "GET", filled)

    async def _part(self, pod: Pod, path: str, pod_id: str, key: str) -> Any:
        answer = await self._ask(pod, "GET", path.format(id=quote(pod_id, safe="")))
        document = _decoded(answer) if answer is not None else {}
        return document.get(key) if key else document

    async def _ask(self, pod: Pod, method: str, rest: str) -> PodAnswer | None:
        """Read; None for what is not there, and for what the caller may not see."""
        answer = await self._asker.ask(pod, self._write.request(method, rest))
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
            return None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Declined(answer, f"{method} {rest}")
        return answer

    async def _do(
        self, pod: Pod, method: str, rest: str, body: Mapping[str, Any] | None = None
    ) -> PodAnswer | None:
        """Write; what is gone already cannot be taken away and is no refusal."""
        raw = msgspec.json.encode(body) if body is not None else None
        answer = await self._asker.ask(pod, self._write.request(method, rest, raw))
        if answer.status == HTTPStatus.NOT_FOUND and method == "DELETE":
            return None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Declined(answer, f"{method} {rest}")
        return answer


def _kind(resource: Resource) -> Definition:
    if resource.definition is None:
        message = f"{resource.name} is no definition"
        raise TypeError(message)
    return resource.definition


def _decoded(answer: PodAnswer) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(answer.body)
    except NOT_JSON:
        return {}
    return document if isinstance(document, dict) else {}
