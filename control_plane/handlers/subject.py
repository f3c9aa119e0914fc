"""What a request is about: the ids in its path, query and body, and the pod they decide."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.errors import NOT_JSON, Refused
from control_plane.model.pod import Pod
from control_plane.services.operation import Ref
from control_plane.services.reference import references


def named(call: Call, ref: Ref) -> list[str]:
    """Read the ids a reference points to in the query or the body."""
    if ref.path.startswith("?"):
        name, _, inside = ref.path[1:].partition(".")
        value = call.parameter(name)
        if value and inside:
            return list(references(_object(value), inside))
        return [value] if value else []
    if not call.body:
        return []
    return list(references(call.json, ref.path))


def _object(text: str) -> object:
    """Read the object that a parameter holds as JSON; None when it holds none."""
    try:
        return msgspec.json.decode(text)
    except NOT_JSON:
        return None


def owner_reference(call: Call) -> tuple[str, str] | None:
    """Say which resource decides the pod and its id; None when the request names none."""
    ref = call.operation.owner
    if ref is not None:
        ids = named(call, ref)
        return (ref.resource, ids[0]) if ids else None
    return next(iter(call.match.params.items()), None)


async def require_same_pod(
    cloud: Cloud, call: Call, pod: Pod, subject: str, refs: Iterable[Ref]
) -> None:
    """Refuse a request that names a resource of another pod; the zones are named, never pods."""
    for ref in refs:
        for other_id in named(call, ref):
            other = await cloud.owner(call, ref.resource, other_id)
            if other is None or other.name == pod.name:
                continue
            where, there = pod.availability_zone, other.availability_zone
            other_name = f"{ref.resource.replace('_', ' ')} {other_id}"
            message = (
                f"The {subject} is in availability zone {where} and {other_name} in "
                f"availability zone {there}; they must be in the same zone."
                if where != there
                else f"The {subject} and {other_name} are in different parts of "
                f"availability zone {where} and cannot be used together."
            )
            raise Refused(HTTPStatus.BAD_REQUEST, message)
