"""Notice that a resource is gone, so that operators see how much a pod still has.

Its owner is known for ever all the same: its pod goes on saying 404 in its own words.
"""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud, is_placed
from control_plane.handlers.subject import owner_reference

_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def ended_by(call: Call) -> tuple[str, str] | None:
    """Say which placed resource's own path a request has, whose answer can tell that it is gone."""
    names = list(call.match.params)
    own = len(names) == 1 and call.operation.path.endswith(f"/{{{names[0]}}}")
    if not own and not call.operation.ends:
        return None
    return owner_reference(call)


async def note_end(
    cloud: Cloud, call: Call, subject: tuple[str, str], status: int, *, sure: bool
) -> None:
    """Remember an end that a pod's answer tells of; `sure`: the request asked for it.

    A 404 tells it only to somebody who would be shown the resource.
    """
    resource, resource_id = subject
    asked = sure or call.method == "DELETE" or call.operation.ends
    if asked and status < HTTPStatus.BAD_REQUEST:
        if is_placed(call.service, resource):
            await cloud.directory.mark_deleted(resource_id)
        else:
            await cloud.holders.forget(resource, resource_id)
    elif status in _ABSENT:
        await cloud.directory.missed(resource_id, await cloud.identify(call))
