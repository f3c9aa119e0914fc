"""The filters of lists: those which all pods know, since a list is asked of all."""

from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import documents
from control_plane.handlers.decision import Decision, Reply


async def resource_filters(cloud: Cloud, call: Call) -> Decision:
    """Intersect what the pods allow, in the order of the first."""
    found, missing = await documents(cloud, call)
    resource = call.service.resources[call.operation.answer]
    allowed = [
        {entry[resource.identity]: entry["filters"] for entry in document.body[resource.plural]}
        for document in found
    ]
    shared = [
        {
            resource.identity: name,
            "filters": [word for word in words if _everywhere(word, name, allowed)],
        }
        for name, words in allowed[0].items()
        if all(name in entry for entry in allowed)
    ]
    return Reply(HTTPStatus.OK, msgspec.json.encode({resource.plural: shared}), missing=missing)


def _everywhere(word: str, name: str, allowed: list[dict[str, list[str]]]) -> bool:
    return all(word in entry[name] for entry in allowed)
