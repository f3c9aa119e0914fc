"""Route: the pod that owns the id in path, query or body takes the request."""

from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.record import watcher
from control_plane.handlers.zone import require_zone, write_zone
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod
from control_plane.services.operation import Ref
from control_plane.services.reference import references


def named(call: Call, ref: Ref) -> list[str]:
    """Read the ids a reference points to in the query or the body."""
    if ref.path.startswith("?"):
        value = call.parameter(ref.path[1:])
        return [value] if value else []
    return list(references(call.json, ref.path))


def owner_reference(call: Call) -> tuple[str, str] | None:
    """Say which resource decides the pod and its id; None when the request names none."""
    ref = call.operation.owner
    if ref is not None:
        ids = named(call, ref)
        return (ref.resource, ids[0]) if ids else None
    return next(iter(call.match.params.items()), None)


async def require_same_pod(cloud: Cloud, call: Call, pod: Pod, subject: str) -> None:
    """Refuse a request that names a resource of another pod; the zones are named, never pods."""
    for ref in call.operation.same_pod:
        for other_id in named(call, ref):
            other = await cloud.owner(call, ref.resource, other_id)
            if other is None or other.name == pod.name:
                continue
            where, there = pod.availability_zone, other.availability_zone
            message = (
                f"The {subject} is in availability zone {where} and {ref.resource} {other_id} in "
                f"availability zone {there}; they must be in the same zone."
                if where != there
                else f"The {subject} and {ref.resource} {other_id} are in different parts of "
                f"availability zone {where} and cannot be used together."
            )
            raise Refused(HTTPStatus.BAD_REQUEST, message)


async def route(cloud: Cloud, call: Call) -> Decision:
    """Find the owner and forward there; an id that no pod has goes to any pod for its 404."""
    subject = owner_reference(call)
    if subject is None:
        return Forward(call.any_pod(), "any")
    resource, resource_id = subject
    pod = await cloud.owner(call, resource, resource_id)
    if pod is None:
        # Every pod said that it does not have it: one of them says so to the client, in the
        # service's own words.
        return Forward(call.any_pod(), "nowhere")
    if call.operation.same_pod:
        await require_same_pod(cloud, call, pod, resource.replace("_", " "))
    if call.operation.creates:
        await cloud.identify(call)
    body = None
    if call.operation.zone and call.body:
        require_zone(call, pod)
        body = msgspec.json.encode(call.json) if write_zone(call, pod) else None
    return Forward(pod, "owner", body=body, watch=watcher(cloud, call, pod))
