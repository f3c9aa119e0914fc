"""What is known of things in pods that do not answer, as Nova shows it of cells that are down."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Reply
from control_plane.handlers.translate import Translation
from control_plane.model.errors import PodUnreachable
from control_plane.model.host import parse_host
from control_plane.model.microversion import Microversion
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.services.listing import Lost
from control_plane.services.operation import Resource


def shows_lost(call: Call, resource: Resource) -> Lost | None:
    """Say how this version of the list, with these parameters, shows what lost pods have.

    With a filter, an order or a page nobody can say which of it would be among the answers.
    """
    lost = resource.lists.lost
    if (
        lost is not None
        and call.version is not None
        and call.version >= Microversion.parse(lost.since)
        and all(name in lost.allowed for name, _ in call.parameters)
    ):
        return lost
    return None


async def lost_items(
    cloud: Cloud, call: Call, resource: Resource, pods: Collection[Pod], room: int | None
) -> list[bytes]:
    """Write the records of what lost pods have of the caller's, or of everybody's, `room` at most.

    The brief form is that of lists whose row names the fields it keeps.
    """
    lost = shows_lost(call, resource)
    if lost is None or not pods:
        return []
    caller = await cloud.identify(call)
    everybody = caller.is_admin and call.parameter("all_tenants") is not None
    found: list[bytes] = []
    for pod in pods:
        left = None if room is None else room - len(found)
        if left is not None and left <= 0:
            break
        if lost.roll is not None:
            found += await _enrolled(cloud, call, resource, lost, pod)
            continue
        project = None if everybody else caller.project_id
        owners = await cloud.directory.placed(resource.name, pod.name, project, limit=left)
        found += [msgspec.json.encode(_record(call, resource, lost, owner)) for owner in owners]
    return found


async def _enrolled(
    cloud: Cloud, call: Call, resource: Resource, lost: Lost, pod: Pod
) -> list[bytes]:
    """Write the records of a pod's last list that the filters match.

    Who may not see the list was refused by the pods that do answer.
    """
    if cloud.rolls is None:
        return []
    wanted = {name: value for name, value in call.parameters if value}
    for name in resource.hosts:
        if name in wanted:
            wanted[name] = parse_host(call.view.fleet, wanted[name])[1]
    translation = Translation(call.view, pod, call.gateway, call.authority)
    return [
        translation.item(msgspec.json.encode({**record, **dict([lost.status])}), resource)
        for record in await cloud.rolls.of(pod.name, resource.name)
        if all(record.get(name) == value for name, value in wanted.items())
    ]


async def lost_item(cloud: Cloud, call: Call, pod: Pod, resource_id: str) -> Reply | None:
    """Answer a show of a thing whose pod does not answer; None when the pod is to be asked.

    The pod is believed lost only when it does not answer now.
    """
    resource = call.service.resources.get(call.operation.answer)
    lost = shows_lost(call, resource) if resource is not None else None
    shown = call.method == "GET" and list(call.match.params.values()) == [resource_id]
    if resource is None or lost is None or not shown or call.view.reachable(pod.name):
        return None
    caller = await cloud.identify(call)
    owner = await cloud.directory.recorded(resource_id)
    if owner is None or owner.pod != pod.name or owner.resource != resource.name:
        return None
    if not caller.is_admin and owner.project_id != caller.project_id:
        return None
    try:
        await cloud.pods.ask(pod, call.to_pods("GET", "/"))
    except PodUnreachable:
        record = _record(call, resource, lost, owner, whole=True)
        record.update(lost.fixed)
        record.update(dict.fromkeys(resource.zones[:1], pod.availability_zone))
        body = msgspec.json.encode({resource.key: record})
        return Reply(HTTPStatus.OK, body, missing=(pod.availability_zone,), reason="lost")
    return None


def _record(
    call: Call, resource: Resource, lost: Lost, owner: Owner, *, whole: bool = False
) -> dict[str, Any]:
    status, unknown = lost.status
    record: dict[str, Any] = {resource.identity: owner.id, status: unknown}
    if whole or not call.operation.fields:
        record[lost.project] = owner.project_id
        record[lost.created] = _moment(owner.created_at)
    record["links"] = _links(call, resource, owner.id)
    return record


def _moment(moment: datetime | None) -> str:
    known = moment or datetime.now(UTC)
    return known.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _links(call: Call, resource: Resource, resource_id: str) -> Sequence[dict[str, str]]:
    """Write the links of a thing as its service does: with the version, and without."""
    path = resource.probe.format(id=resource_id)
    base = f"{call.gateway}{call.location.base}"
    return (
        {"rel": "self", "href": f"{base}{call.sibling(path)}"},
        {"rel": "bookmark", "href": f"{base}{path}"},
    )
