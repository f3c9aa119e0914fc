"""A resource that goes from one project to another and stays in its pod."""

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.pod import Pod
from control_plane.services.operation import Ref
from control_plane.services.reference import references


async def take(cloud: Cloud, call: Call, pod: Pod, ref: Ref, body: bytes) -> None:
    """Give what the answer names to the caller's project, and the project a pod in the zone.

    A project that has a pod there already keeps it: the binding decides creates, not owners.
    """
    caller = await cloud.identify(call)
    for resource_id in references(msgspec.json.decode(body), ref.path):
        await cloud.directory.give(resource_id, ref.resource, pod.name, caller.project_id)
    await cloud.bindings.bind(caller.project_id, pod.availability_zone, pod.id)
