"""Pattern: a list of hosts by a part of their names, which may begin with a pod."""

from control_plane.handlers.aggregate import aggregate
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.record import watcher
from control_plane.model.host import parse_host


async def pattern(cloud: Cloud, call: Call) -> Decision:
    """Ask the pod that the pattern names, or all of them."""
    [(name, word)] = call.match.params.items()
    pod, part = parse_host(call.view.fleet, word)
    if pod is None or not pod.serves:
        return await aggregate(cloud, call)
    await cloud.identify(call)
    path = call.with_parameters({name: part})
    path = f"{path}?{call.query}" if call.query else path
    return Forward(pod, "named", watch=watcher(cloud, call, pod), path=path)
