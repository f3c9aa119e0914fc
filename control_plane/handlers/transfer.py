"""A resource that goes from one project to another and stays in its pod."""

from urllib.parse import quote

import msgspec

from control_plane.directory.lookup import Question
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.identity.keystone import KeystoneError
from control_plane.model.errors import unavailable
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


async def find_hidden(cloud: Cloud, call: Call, resource: str, resource_id: str) -> Pod | None:
    """Find the owner of what pods hide from the caller's project, as the gateway's own user."""
    kind = call.service.resources.get(resource)
    if cloud.own is None or kind is None or not kind.probe:
        return None
    try:
        token = await cloud.own.token()
    except KeystoneError as error:
        message = "The identity service could not be reached."
        raise unavailable(message) from error
    project_id = (await cloud.verifier.verify(token)).project_id
    path = kind.probe.format(id=quote(resource_id, safe=""))
    if call.service.project_segment:
        path = f"/{project_id}{path}"
    headers = {"x-auth-token": token, "accept": "application/json"}
    question = Question(
        resource_id, resource, call.service.name, call.versioned(path), project_id, headers
    )
    name = await cloud.directory.owner(question, call.view.with_service(call.service.name))
    return call.view.fleet.get(name) if name else None
