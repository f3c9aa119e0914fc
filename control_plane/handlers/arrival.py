"""A thing of a project is about to be made in a pod: lists must know before it is."""

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.pod import Pod


async def arrive(cloud: Cloud, call: Call, pod: Pod) -> None:
    """Note that the caller's project may have things in a pod, before the request goes there.

    Only of services some of whose lists depend on it.
    """
    if not call.service.has_homes:
        return
    caller = await cloud.identify(call)
    if caller.project_id:
        await cloud.presence.enter(caller.project_id, pod.id)
