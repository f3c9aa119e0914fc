"""Route: the pod that owns the id in path, query or body takes the request."""

import msgspec

from control_plane.handlers.arrival import arrive
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud, is_placed
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.listing.lost import lost_item
from control_plane.handlers.record import watcher
from control_plane.handlers.subject import named, owner_reference, require_same_pod
from control_plane.handlers.transfer import find_hidden
from control_plane.handlers.zone import require_zone, write_zone
from control_plane.services.operation import Ref


async def route(cloud: Cloud, call: Call) -> Decision:
    """Find the owner and forward there; an id that no pod has goes to any pod for its 404."""
    operation = call.operation
    subject = owner_reference(call)
    if subject is None:
        return Forward(call.any_pod(), "any")
    resource, resource_id = subject
    pod = await cloud.owner(call, resource, resource_id)
    if pod is None and operation.takes is not None:
        pod = await find_hidden(cloud, call, resource, resource_id)
    if pod is None:
        # Every pod said that it does not have it: one of them says so to the client, in the
        # service's own words.
        return Forward(call.any_pod(), "nowhere")
    lost = await lost_item(cloud, call, pod, resource_id)
    if lost is not None:
        return lost
    refs = (*_several(call), *operation.same_pod)
    await require_same_pod(cloud, call, pod, resource.replace("_", " "), refs)
    if operation.creates or operation.takes:
        await arrive(cloud, call, pod)
        await cloud.identify(call)
    body = None
    if operation.zone and call.body:
        require_zone(call, pod, operation.zone)
        if write_zone(call, pod, operation.zone):
            body = msgspec.json.encode(call.json)
    owned = subject if is_placed(call.service, resource) else None
    return Forward(pod, "owner", body=body, watch=watcher(cloud, call, pod), owned=owned)


def _several(call: Call) -> tuple[Ref, ...]:
    """Name what decides the pod where a bulk create names several of it."""
    ref = call.operation.owner
    return (ref,) if ref is not None and len(named(call, ref)) > 1 else ()
