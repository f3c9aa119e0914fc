"""What the answer to a create made, and the request that takes it away again."""

from urllib.parse import quote

import msgspec

from control_plane.model.errors import NOT_JSON
from control_plane.pods.client import PodAnswer
from control_plane.replication.write import Write
from control_plane.services.items import items
from control_plane.services.operation import Resource
from control_plane.services.reference import references


def made_id(answer: PodAnswer, resource: Resource) -> str:
    """Read from the answer to a create the id of what was made; empty when it says none."""
    try:
        document = msgspec.json.decode(answer.body)
    except NOT_JSON:
        return ""
    return str(next(items(document, resource), {}).get(resource.identity, ""))


def removal_of(write: Write, answer: PodAnswer) -> tuple[str, str] | None:
    """Say which request takes away what a create made; None for what is no create."""
    if not write.operation.creates:
        return None
    resource = write.service.resources[write.operation.answer]
    thing = made_id(answer, resource)
    if not thing or not resource.probe:
        return None
    path = resource.probe.format(id=quote(thing, safe=""))
    user = next(references(write.body, write.operation.user), "") if write.operation.user else ""
    return "DELETE", f"{path}?user_id={quote(user, safe='')}" if user else path
