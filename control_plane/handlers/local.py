"""Local: a request about something that each pod names for itself: an integer, a host.

What users see of such a name says the pod: an integer holds its number, a host's name begins with
it (`Pod1~compute1`). A host without a pod, and an id that no probe finds, are looked for in lists
of the pods. The pod gets the request in its own words.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from control_plane.handlers.arrival import arrive
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward, Watched, Watcher
from control_plane.handlers.host import require_hosts, write_hosts
from control_plane.handlers.query import hosts_in_query, query_for
from control_plane.handlers.record import watcher
from control_plane.handlers.replica import write_copies
from control_plane.handlers.survey import holder
from control_plane.handlers.translate import Translation
from control_plane.model.errors import Refused, unavailable
from control_plane.model.host import parse_host
from control_plane.model.number import parse_number
from control_plane.model.pod import Pod
from control_plane.services.reference import references, replace


async def local(cloud: Cloud, call: Call) -> Decision:
    """Find the pod a name says, put the pod's own words into the request and forward it."""
    await cloud.identify(call)
    pod = await _pod(cloud, call)
    reason = "named"
    if pod is None:
        # No pod has it: one of them says so, or that the caller may not ask, in its own words.
        pod, reason = call.any_pod(), "nowhere"
    elif not pod.serves:
        message = f"Availability zone {pod.availability_zone} is not available now."
        raise unavailable(message)
    query = query_for(call, pod)
    if query is None:
        message = "The request names a host of another part of the cloud."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    numbers = _numbers(call)
    if call.operation.creates:
        await arrive(cloud, call, pod)
    words = _words(call, numbers)
    path = call.with_parameters(words)
    return Forward(
        pod,
        reason,
        body=await _body(cloud, call, pod),
        watch=_watcher(cloud, call, pod, {words[name]: shown for name, shown in numbers.items()}),
        path=f"{path}?{query}" if query else path,
    )


async def _pod(cloud: Cloud, call: Call) -> Pod | None:
    """Say which pod the request is about; None when its words name nothing that is there."""
    fleet, resources, owner = call.view.fleet, call.service.resources, call.operation.owner
    for shown in _numbers(call).values():
        return parse_number(fleet, int(shown))[0]
    if owner is not None:
        word = next(iter(_body_texts(call, (owner.path,))), None)
        return await holder(cloud, call, resources[owner.resource], word) if word else None
    hosts = hosts_in_query(call) + _body_texts(call, call.operation.hosts)
    if hosts:
        return await holder(cloud, call, resources["host"], hosts[0])
    for name, value in call.match.params.items():
        resource = resources.get(name)
        if resource is not None and (resource.identity in resource.hosts or resource.survey):
            return await holder(cloud, call, resource, value)
        return await cloud.owner(call, name, value)
    return _pod_of_zone(call)


def _pod_of_zone(call: Call) -> Pod | None:
    """Pick the pod for a thing that is in a zone or nowhere yet; a zone may name its pod.

    A zone that users do not see is one the operator is about to make.
    """
    pods = call.able_pods
    zone = next(iter(_zones(call)), "")
    named = parse_host(call.view.fleet, zone)[0]
    if named is not None:
        return named
    inside = [pod for pod in pods if pod.availability_zone == zone]
    return next((pod for pod in (*inside, *pods) if pod.takes_creates), None)


def _numbers(call: Call) -> dict[str, str]:
    """Read the integers of the path that hold a pod's number, by parameter."""
    found = {}
    for name, value in call.match.params.items():
        resource = call.service.resources.get(name)
        if resource is not None and resource.identity in resource.numbers and value.isdecimal():
            found[name] = value
    return found


def _words(call: Call, numbers: Mapping[str, str]) -> dict[str, str]:
    """Say what the path names in the pod's words."""
    fleet = call.view.fleet
    words = {name: str(parse_number(fleet, int(shown))[1]) for name, shown in numbers.items()}
    for name, value in call.match.params.items():
        resource = call.service.resources.get(name)
        if resource is not None and resource.identity in resource.hosts:
            words[name] = parse_host(fleet, value)[1]
    return words


async def _body(cloud: Cloud, call: Call, pod: Pod) -> bytes | None:
    """Put the pod's words into the body; None when it can go as the client wrote it."""
    if not call.body:
        return None
    paths = [path for path in call.operation.hosts if not path.startswith("?")]
    require_hosts(call, pod, paths)
    changed = write_hosts(call, paths)
    changed = await write_copies(cloud, call, call.operation.copies, pod) or changed
    for path in call.operation.own_zones:
        changed = replace(call.json, path, lambda zone: _own_zone(call, pod, zone)) > 0 or changed
    return msgspec.json.encode(call.json) if changed else None


def _own_zone(call: Call, pod: Pod, zone: str) -> str | None:
    """Say a zone as the pod does: its own name for the one users see, others as they are."""
    named, name = parse_host(call.view.fleet, zone)
    if named is not None and named.name != pod.name:
        message = f"Zone {zone} is not in the part of the cloud that this request is about."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return pod.pod_availability_zone or None if name == pod.availability_zone else name


def _zones(call: Call) -> list[str]:
    return _body_texts(call, call.operation.own_zones)


def _body_texts(call: Call, paths: tuple[str, ...]) -> list[str]:
    if not call.body:
        return []
    return [text for path in paths for text in references(call.json, path)]


def _watcher(cloud: Cloud, call: Call, pod: Pod, numbers: Mapping[str, str]) -> Watcher:
    """Watch the answer as other handlers do; a refusal names integers as the client did."""
    watch = watcher(cloud, call, pod)
    translation = Translation(call.view, pod, call.gateway, call.authority)

    async def with_numbers(answer: Watched) -> bytes | None:
        changed = await watch(answer) if watch is not None else None
        if answer.status < HTTPStatus.BAD_REQUEST:
            return changed
        text = translation.fault(answer.body) if changed is None else changed
        for inner, shown in numbers.items():
            # Statuses stand before a comma.
            for before, behind in (" ", " "), ("'", "'"), (" ", '"'):
                text = text.replace(
                    f"{before}{inner}{behind}".encode(), f"{before}{shown}{behind}".encode()
                )
        return text if text != answer.body else None

    return with_numbers
