"""Group: one id for users, members in several pods, each of which has its part of the group."""

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward, Reply
from control_plane.handlers.record import watcher
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.shadow import ask_copies, known_as
from control_plane.lists.inquiry import Parameters, read, to_pod
from control_plane.model.errors import PodUnreachable, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.services.operation import Resource

_ABSENT = HTTPStatus.NOT_FOUND
#: No pod's pages are as short as this, so that a shorter one is the last.
_SHORT = 50


async def group(cloud: Cloud, call: Call) -> Decision:
    """Show a group with the members of all pods, delete it everywhere, or list all groups."""
    resource = call.service.resources[call.operation.answer]
    group_id = next(iter(call.match.params.values()), None)
    if group_id is None:
        return await _list(cloud, call, resource)
    home = await cloud.owner(call, resource.name, group_id)
    if home is None:
        return Forward(call.any_pod(), "nowhere")
    ids = await known_as(cloud, call, resource, group_id, home)
    if call.method == "DELETE":
        del ids[home.name]
        await _delete_shadows(cloud, call, resource, ids)
    elif len(ids) > 1:
        return await _show(cloud, call, resource, group_id, ids)
    return Forward(home, "owner", watch=watcher(cloud, call, home))


async def _delete_shadows(
    cloud: Cloud, call: Call, resource: Resource, ids: Mapping[str, str]
) -> None:
    """Delete a group's shadows, before the group itself, so that none is left without it."""
    answers, silent = await ask_copies(cloud, call, resource, ids, "DELETE")
    for answer in answers:
        if answer.status < HTTPStatus.BAD_REQUEST or answer.status == _ABSENT:
            name = answer.pod.name
            await cloud.directory.shadows.forget(resource.name, name, ids[name])
        else:
            raise PodRefusal(answer)
    if silent:
        message = "A part of the group is where nobody answers now; try again."
        raise unavailable(message)


async def _show(
    cloud: Cloud, call: Call, resource: Resource, group_id: str, ids: Mapping[str, str]
) -> Reply:
    """Put the members of all pods into what the group's own pod says of it."""
    answers, silent = await ask_copies(cloud, call, resource, ids)
    if not answers:
        message = "The group is where nobody answers now; try again."
        raise unavailable(message)
    refused = [answer for answer in answers if answer.status >= HTTPStatus.BAD_REQUEST]
    home = next(iter(ids))
    if any(answer.pod.name == home for answer in refused) or len(refused) == len(answers):
        raise PodRefusal(refused[0])
    shown = [_item(answer, resource) for answer in answers if answer not in refused]
    whole = {**shown[0], resource.identity: group_id}
    _join(whole, shown[1:], resource)
    return Reply(HTTPStatus.OK, msgspec.json.encode({resource.key: whole}), missing=_zones(silent))


async def _list(cloud: Cloud, call: Call, resource: Resource) -> Reply:
    """List the groups of all pods, one pod after the other, each group once.

    Pages are cut here, since a group's parts may stand anywhere in the pods' lists.
    """
    await cloud.identify(call)
    inquiry = read(call.parameters, call.service.paging, resource, call.version)
    pods = call.view.with_service(call.service.name)
    listed = await asyncio.gather(
        *(_items_of(cloud, call, resource, pod, inquiry.rest) for pod in pods)
    )
    whole: dict[str, dict[str, Any]] = {}
    for pod, items in zip(pods, listed, strict=True):
        ids = [str(item[resource.identity]) for item in items or ()]
        users = await cloud.directory.shadows.users(resource.name, pod.name, ids)
        for group_id, item in zip(ids, items or (), strict=True):
            user_id = users.get(group_id, group_id)
            if user_id == group_id:
                cloud.directory.learn(group_id, pod.name)
            held = whole.setdefault(user_id, {**item, resource.identity: user_id})
            _join(held, [item], resource)
    silent = [pod for pod, items in zip(pods, listed, strict=True) if items is None]
    if len(silent) == len(pods):
        message = "No part of the cloud answers now."
        raise unavailable(message)
    end = None if inquiry.limit is None else inquiry.offset + inquiry.limit
    page = list(whole.values())[inquiry.offset : end]
    body = msgspec.json.encode({resource.plural: page})
    return Reply(HTTPStatus.OK, body, missing=_zones(silent), reason="merged")


async def _items_of(
    cloud: Cloud, call: Call, resource: Resource, pod: Pod, rest: Parameters
) -> list[dict[str, Any]] | None:
    """Read all groups of a pod; None when it does not answer."""
    items: list[dict[str, Any]] = []
    while True:
        request = call.to_pods("GET", query=to_pod(rest, None, offset=len(items) or None))
        try:
            answer = await cloud.pods.ask(pod, request)
        except PodUnreachable:
            return None
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answer)
        more = msgspec.json.decode(answer.body)[resource.plural]
        items += more
        if len(more) < _SHORT:
            return items


def _item(answer: PodAnswer, resource: Resource) -> dict[str, Any]:
    return dict(msgspec.json.decode(answer.body)[resource.key])


def _join(whole: dict[str, Any], parts: Iterable[Mapping[str, Any]], resource: Resource) -> None:
    """Put the members of a group's other parts behind those it has."""
    if resource.spread is None:
        return
    name = resource.spread.members
    members = dict.fromkeys(whole.get(name, ()))
    for part in parts:
        members.update(dict.fromkeys(part.get(name, ())))
    whole[name] = list(members)


def _zones(pods: Iterable[Pod]) -> tuple[str, ...]:
    return tuple(sorted({pod.availability_zone for pod in pods}))
