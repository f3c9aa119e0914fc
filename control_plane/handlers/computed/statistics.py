"""Sums: an object of numbers, each added up over the pods."""

from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import documents
from control_plane.handlers.computed.limits import names
from control_plane.handlers.decision import Decision, Reply


async def statistics(cloud: Cloud, call: Call) -> Decision:
    """Add up what the pods count."""
    found, missing = await documents(cloud, call)
    body = {}
    for key in found[0].body:
        counts = [document.body[key] for document in found if key in document.body]
        body[key] = {name: sum(entry.get(name) or 0 for entry in counts) for name in names(counts)}
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)
