"""Schedule: a create picks its pod, carries the pod's zone name, and is recorded."""

import asyncio
from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.record import watcher
from control_plane.handlers.route import named
from control_plane.handlers.zone import wanted_zone, write_zone
from control_plane.model.binding import Binding
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod
from control_plane.scheduling.choose import choose
from control_plane.scheduling.wish import Pin, Wish
from control_plane.services.operation import Ref
from control_plane.services.reference import replace


async def schedule(cloud: Cloud, call: Call) -> Decision:
    """Pick the pod, bind the project to it, translate the zone and forward."""
    caller = await cloud.identify(call)
    if not isinstance(call.json, dict):
        message = "The request body is not a JSON object."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    fleet = call.view.fleet
    pins, holders, bindings = await asyncio.gather(
        _pins(cloud, call),
        _holders(cloud, call),
        cloud.bindings.bindings(project_id=caller.project_id),
    )
    by_id = {pod.id: pod.name for pod in fleet}
    bindings.sort(key=lambda binding: (binding.created_at, binding.id))
    wish = Wish(
        service=call.service.name,
        project_id=caller.project_id,
        zone=wanted_zone(call).partition(":")[0],
        pins=pins,
        holders=holders,
        bound=tuple(by_id[entry.pod_id] for entry in bindings if entry.pod_id in by_id),
        with_service=frozenset(pod.name for pod in call.view.with_service(call.service.name)),
        reachable=frozenset(pod.name for pod in fleet if call.view.reachable(pod.name)),
    )
    choice = choose(fleet, wish)
    if choice.reason == "weighed":
        pod = await _bind(cloud, call, choice.pod, bindings)
    else:
        pod = choice.pod
        if all(entry.availability_zone != pod.availability_zone for entry in bindings):
            await cloud.bindings.bind(caller.project_id, pod.availability_zone, pod.id)
    body = await _body_for(cloud, call, pod)
    return Forward(pod, choice.reason, body=body, watch=watcher(cloud, call, pod))


async def _pins(cloud: Cloud, call: Call) -> tuple[Pin, ...]:
    """Find the pods of the resources the create names; an id no pod knows pins nothing.

    The pod that gets the create then says in its own words that it does not exist.
    """
    wanted = dict.fromkeys(
        (ref.resource, resource_id)
        for ref in call.operation.pins
        for resource_id in named(call, ref)
    )
    owners = await asyncio.gather(*(cloud.owner(call, *entry) for entry in wanted))
    return tuple(
        Pin(resource, resource_id, pod.name)
        for (resource, resource_id), pod in zip(wanted, owners, strict=True)
        if pod is not None
    )


async def _holders(cloud: Cloud, call: Call) -> dict[str, frozenset[str]]:
    """Find the pods that have the images and flavors the create names."""
    found: dict[str, frozenset[str]] = {}
    for ref in call.operation.copies:
        for resource_id in named(call, ref):
            question = await cloud.question(call, ref.resource, resource_id)
            if question is None or _by_name(call, ref):
                continue
            pods = call.view.with_service(question.service)
            result = await cloud.holders.of(question, pods)
            if result.holders:
                found[resource_id] = frozenset(result.holders)
    return found


def _by_name(call: Call, ref: Ref) -> bool:
    """Whether copies of a thing have an id of their own in each pod and the name in common."""
    resource = call.service.resources.get(ref.resource)
    return resource is not None and resource.merge_by != resource.identity


async def _bind(cloud: Cloud, call: Call, pod: Pod, bindings: list[Binding]) -> Pod:
    """Bind the project to a weighed pod; the pod of whoever was first wins.

    A binding to a pod that takes no creates any more is moved; one to a pod that only lacks an
    image, or does not answer now, stays.
    """
    fleet = call.view.fleet
    zone = pod.availability_zone
    pods = {entry.id: entry for entry in fleet}
    held = next((entry for entry in bindings if entry.availability_zone == zone), None)
    if held is None:
        held = await cloud.bindings.bind(call.project_id, zone, pod.id)
        winner = pods.get(held.pod_id)
        return winner if winner is not None and winner.takes_creates else pod
    bound = pods.get(held.pod_id)
    if bound is None or not bound.takes_creates or bound.availability_zone != zone:
        held = await cloud.bindings.rebind(held, pod.id)
        return pods.get(held.pod_id, pod)
    return pod


async def _body_for(cloud: Cloud, call: Call, pod: Pod) -> bytes | None:
    """Put the pod's words into the body; None when it can go as the client wrote it."""
    changed = write_zone(call, pod)
    body = call.json
    for ref in call.operation.copies:
        if _by_name(call, ref):
            for resource_id in named(call, ref):
                name = await _name_of(cloud, call, ref.resource, resource_id)
                if name and name != resource_id:
                    replace(body, ref.path, lambda _, name=name: name)  # type: ignore[misc]
                    changed = True
    return msgspec.json.encode(body) if changed else None


async def _name_of(cloud: Cloud, call: Call, resource: str, resource_id: str) -> str | None:
    """Find the name of a thing whose id some pod made; None when no pod has that id."""
    question = await cloud.question(call, resource, resource_id)
    if question is None:
        return None
    found = await cloud.holders.of(question, call.view.with_service(question.service))
    pod = call.view.fleet.get(found.holders[0]) if found.holders else None
    if pod is None:
        return None
    answer = await cloud.pods.ask(pod, question.probe)
    kind = call.service.resources[resource]
    try:
        name = msgspec.json.decode(answer.body)[kind.key][kind.merge_by]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None
