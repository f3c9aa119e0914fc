"""The summary of volumes: sums, and the values that each key of metadata has anywhere."""

from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import documents
from control_plane.handlers.decision import Decision, Reply


async def summary(cloud: Cloud, call: Call) -> Decision:
    """Add the pods' summaries up."""
    found, missing = await documents(cloud, call)
    body = {}
    for key in found[0].body:
        merged: dict[str, Any] = {}
        for document in found:
            for name, value in document.body.get(key, {}).items():
                merged[name] = _sum(merged[name], value) if name in merged else value
        body[key] = merged
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)


def _sum(held: Any, value: Any) -> Any:
    if not isinstance(held, dict):
        return held + value
    names = dict.fromkeys((*held, *value))
    return {
        name: list(dict.fromkeys((*held.get(name, ()), *value.get(name, ())))) for name in names
    }
