"""Schedule: a create picks its pod, is put into the pod's words, and is recorded."""

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from control_plane.handlers.arrival import arrive
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.host import host_pins, write_hosts
from control_plane.handlers.record import watcher
from control_plane.handlers.replica import bring_owned, holders_of, write_copies
from control_plane.handlers.shadow import (
    Group,
    group_pins,
    joined_groups,
    near_pods,
    write_groups,
)
from control_plane.handlers.subject import named
from control_plane.handlers.zone import has_zone, wanted_zone, write_zone, zone_pins
from control_plane.model.binding import Binding
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod
from control_plane.scheduling.choose import Choice, choose
from control_plane.scheduling.wish import Pin, Wish
from control_plane.services.reference import replace

#: What pods make ids of; anything else is a name or a mistake, and pods need not be asked.
_ID = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)


async def schedule(cloud: Cloud, call: Call) -> Decision:
    """Pick the pod, bind the project to it, put the body into the pod's words and forward."""
    await cloud.identify(call)
    if call.body and not isinstance(call.json, dict):
        message = "The request body is not a JSON object."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    groups = await joined_groups(cloud, call)
    choice, pod = await _place(cloud, call, groups)
    body = None
    if call.body:
        await bring_owned(cloud, call, call.operation.brings, pod)
        if await _write(cloud, call, pod, groups):
            body = msgspec.json.encode(call.json)
    await arrive(cloud, call, pod)
    return Forward(pod, choice.reason, body=body, watch=watcher(cloud, call, pod))


async def _place(cloud: Cloud, call: Call, groups: Sequence[Group]) -> tuple[Choice, Pod]:
    """Choose a pod and have the project bound in its zone."""
    operation, fleet = call.operation, call.view.fleet
    # One after the other: nearly always all three are in memory, where tasks only cost.
    pins = await _pins(cloud, call)
    holders = await holders_of(cloud, call, operation.copies if call.body else ())
    bindings = await cloud.bindings.of(call.project_id)
    bound = (pod.name for entry in bindings if (pod := fleet.with_id(entry.pod_id)) is not None)
    wish = Wish(
        service=call.service.name,
        project_id=call.project_id,
        zone=wanted_zone(call, operation.zone).partition(":")[0] if call.body else "",
        pins=(*pins, *group_pins(groups)),
        holders=holders,
        bound=(*near_pods(groups), *bound),
        with_service=call.view.having(call.service.name),
        default_zone=cloud.default_zone,
        reachable=call.view.answering,
        unready=call.view.unready(call.service.name),
    )
    choice = choose(fleet, wish)
    if choice.reason == "weighed":
        return choice, await _bind(cloud, call, choice.pod, bindings)
    pod = choice.pod
    if all(entry.availability_zone != pod.availability_zone for entry in bindings):
        await cloud.bindings.bind(call.project_id, pod.availability_zone, pod.id)
    return choice, pod


async def _pins(cloud: Cloud, call: Call) -> tuple[Pin, ...]:
    """Find the pods of the resources the create names; an id no pod knows pins nothing.

    The pod that gets the create then says in its own words that it does not exist.
    """
    if not call.body:
        return ()
    operation = call.operation
    wanted = dict.fromkeys(
        (ref.resource, resource_id)
        for ref in operation.pins
        for resource_id in named(call, ref)
        if _ID.fullmatch(resource_id)
    )
    asked = [cloud.owner(call, *entry) for entry in wanted]
    owners = await asyncio.gather(*asked) if len(asked) > 1 else [await entry for entry in asked]
    placed = tuple(
        Pin(resource, resource_id, pod.name)
        for (resource, resource_id), pod in zip(wanted, owners, strict=True)
        if pod is not None
    )
    return (*placed, *host_pins(call, operation.hosts), *zone_pins(call, operation.zone))


async def _bind(cloud: Cloud, call: Call, pod: Pod, bindings: Sequence[Binding]) -> Pod:
    """Bind the project to a weighed pod; the pod of whoever was first wins.

    A binding to a pod that takes no creates any more is moved; one to a pod that only lacks an
    image, or does not answer now, stays.
    """
    fleet = call.view.fleet
    zone = pod.availability_zone
    held = next((entry for entry in bindings if entry.availability_zone == zone), None)
    if held is None:
        held = await cloud.bindings.bind(call.project_id, zone, pod.id)
        winner = fleet.with_id(held.pod_id)
        return winner if winner is not None and winner.takes_creates else pod
    bound = fleet.with_id(held.pod_id)
    if bound is None or not bound.takes_creates or bound.availability_zone != zone:
        held = await cloud.bindings.rebind(held, pod.id)
        return fleet.with_id(held.pod_id) or pod
    return pod


async def _write(cloud: Cloud, call: Call, pod: Pod, groups: Sequence[Group]) -> bool:
    """Put the pod's words into the body; False when it can go as the client wrote it."""
    operation = call.operation
    changed = (
        write_zone(call, pod, operation.zone, known=await has_zone(cloud, call, pod)),
        write_hosts(call, operation.hosts),
        await write_copies(cloud, call, operation.copies, pod),
        await _drop_distant(cloud, call, pod),
        await write_groups(cloud, call, pod, groups),
    )
    return any(changed)


async def _drop_distant(cloud: Cloud, call: Call, pod: Pod) -> bool:
    """Leave out what is to be kept away from and is in another pod: it is far enough."""
    changed = 0
    for ref in call.operation.apart:
        distant = set()
        for resource_id in named(call, ref):
            other = None
            if _ID.fullmatch(resource_id):
                other = await cloud.owner(call, ref.resource, resource_id)
            if other is not None and other.name != pod.name:
                distant.add(resource_id)
        changed += replace(call.json, ref.path, lambda old: None if old in distant else old)  # noqa: B023
    return bool(changed)
