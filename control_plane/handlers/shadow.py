"""Groups with members in several pods, which each know the group under an id of their own.

Servers of two pods share no host, so that each pod keeps its own members apart; what must stay
together stays in the pod of the first member.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.subject import named
from control_plane.model.errors import PodUnreachable, unavailable
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.scheduling.wish import Pin
from control_plane.services.operation import Ref, Resource, Spread
from control_plane.services.reference import references
from control_plane.services.reference import replace as put


@dataclass(frozen=True, slots=True)
class Group:
    """A group a create joins: its id in each pod that has it, and what each says of it."""

    ref: Ref
    id: str
    ids: Mapping[str, str]
    shown: Mapping[str, Mapping[str, Any]]
    resource: Resource
    spread: Spread

    @property
    def rules(self) -> frozenset[str]:
        """The group's rules, the same in all its pods."""
        fields = next(iter(self.shown.values()))
        return frozenset(rule for name in self.spread.rules for rule in references(fields, name))

    @property
    def inhabited(self) -> tuple[str, ...]:
        """The pods in which it has members."""
        return tuple(pod for pod, fields in self.shown.items() if fields.get(self.spread.members))


async def joined_groups(cloud: Cloud, call: Call) -> list[Group]:
    """Look up the groups the body names; one that no pod has is left for a pod to refuse."""
    found = []
    for ref in call.operation.joins if call.body else ():
        resource = call.service.resources[ref.resource]
        for group_id in named(call, ref):
            home = await cloud.owner(call, ref.resource, group_id)
            if home is not None and resource.spread is not None:
                ids = await known_as(cloud, call, resource, group_id, home)
                shown = await _shown(cloud, call, resource, resource.spread, ids)
                if shown:
                    found.append(Group(ref, group_id, ids, shown, resource, resource.spread))
    return found


def group_pins(groups: Sequence[Group]) -> tuple[Pin, ...]:
    """Pin a create to the pod whose members it must stay with."""
    return tuple(
        Pin(group.resource.name, group.id, pod)
        for group in groups
        if group.rules & group.spread.together
        for pod in group.inhabited[:1]
    )


def near_pods(groups: Sequence[Group]) -> tuple[str, ...]:
    """Give the pods of members that a create would rather be with."""
    near = [group for group in groups if group.rules & group.spread.near]
    return tuple(pod for group in near for pod in group.inhabited)


async def write_groups(cloud: Cloud, call: Call, pod: Pod, groups: Sequence[Group]) -> bool:
    """Put the pod's ids for the groups into the body, making the group there if need be.

    Says whether that changed the body.
    """
    changed = 0
    for group in groups:
        pod_id = group.ids.get(pod.name) or await _make(cloud, call, pod, group)
        changed += put(call.json, group.ref.path, {group.id: pod_id})
    return bool(changed)


async def show_groups(cloud: Cloud, pod: Pod, resource: Resource, body: bytes) -> bytes:
    """Show groups that have parts in several pods under the id users know."""
    refs = [ref for ref in resource.shadows if f'"{ref.path}"'.encode() in body]
    if not refs:
        return body
    document = msgspec.json.decode(body)
    item = document.get(resource.key) if isinstance(document, dict) else None
    changed = 0
    for ref in refs:
        shown = list(references(item, ref.path))
        users = await cloud.directory.shadows.users(ref.resource, pod.name, shown)
        changed += put(item, ref.path, users)
    return msgspec.json.encode(document) if changed else body


async def known_as(
    cloud: Cloud, call: Call, resource: Resource, group_id: str, home: Pod
) -> dict[str, str]:
    """Give the ids of a group in all pods that have it, its own pod first."""
    pods = call.view.fleet.serving
    return await cloud.directory.shadows.ids(resource.name, group_id, home.name, pods)


async def ask_copies(
    cloud: Cloud,
    call: Call,
    resource: Resource,
    ids: Mapping[str, str],
    method: str = "GET",
    version: str = "",
) -> tuple[list[PodAnswer], list[Pod]]:
    """Ask each pod for what it calls a group; the answers, and the pods that gave none."""

    async def ask(pod: Pod, pod_id: str) -> PodAnswer | Pod:
        path = call.sibling(resource.probe.format(id=quote(pod_id, safe="")))
        try:
            answer = await cloud.pods.ask(pod, _request(call, method, path, version))
        except PodUnreachable:
            return pod
        return pod if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else answer

    pods = {name: pod for name in ids if (pod := call.view.fleet.get(name)) is not None}
    results = await asyncio.gather(*(ask(pod, ids[name]) for name, pod in pods.items()))
    answers = [result for result in results if isinstance(result, PodAnswer)]
    return answers, [result for result in results if isinstance(result, Pod)]


async def _shown(
    cloud: Cloud, call: Call, resource: Resource, spread: Spread, ids: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """Read a group from all pods that have it; Refused(503) when one cannot tell its members."""
    version = _version(call, spread)
    answers, silent = await ask_copies(cloud, call, resource, ids, version=version)
    if silent:
        message = f"The {resource.name.replace('_', ' ')} could not be read everywhere; try again."
        raise unavailable(message)
    return {
        answer.pod.name: msgspec.json.decode(answer.body)[resource.key]
        for answer in answers
        if answer.status < HTTPStatus.BAD_REQUEST
    }


async def _make(cloud: Cloud, call: Call, pod: Pod, group: Group) -> str:
    """Make a shadow in a pod; the id of the one that holds, should another be made meanwhile."""
    resource, spread = group.resource, group.spread
    fields = next(iter(group.shown.values()))
    body = {resource.key: {name: fields[name] for name in spread.fields if name in fields}}
    collection = call.sibling(resource.probe.rpartition("/")[0])
    version = _version(call, spread)
    request = _request(call, "POST", collection, version, msgspec.json.encode(body))
    answer = await cloud.pods.ask(pod, request)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise PodRefusal(answer)
    made = str(msgspec.json.decode(answer.body)[resource.key][resource.identity])
    held = await cloud.directory.shadows.keep(resource.name, group.id, pod.name, made)
    if held != made:
        await ask_copies(cloud, call, resource, {pod.name: made}, "DELETE", version)
    return held


def _version(call: Call, spread: Spread) -> str:
    """Take the version that shows all of a group, or the highest that all pods know."""
    shared = call.view.version_range(call.service.name)
    wanted = Microversion.parse(spread.version)
    return str(min(wanted, shared.maximum) if shared else wanted)


def _request(
    call: Call, method: str, path: str, version: str, body: bytes | None = None
) -> PodRequest:
    request = replace(call.to_pods(method, path), body=body)
    headers = dict(request.headers)
    rules = call.service.microversions
    if version and rules is not None:
        headers.pop(rules.legacy, None)
        headers["openstack-api-version"] = f"{rules.service_type} {version}"
    if body is None:
        headers.pop("content-type", None)
    return replace(request, headers=headers)
