"""Quota sets and quota classes: limits by the rule of `limits.py`, with what is used or without.

Which keys there are (a microversion hides some, a volume type adds some) the pods say.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import documents
from control_plane.handlers.computed.limits import lowest_limit, names
from control_plane.handlers.decision import Decision, Reply

#: What exists once for users and in every pod: each pod counts its own copies.
_REPLICATED = frozenset({"key_pairs", "security_groups", "security_group_rules"})


async def quotas(cloud: Cloud, call: Call) -> Decision:
    """Show the quotas of a project, a user or a class; the answer has one key."""
    found, missing = await documents(cloud, call)
    body = {}
    for key in found[0].body:
        sets = [document.body[key] for document in found if key in document.body]
        body[key] = {
            name: _value(name, [entry[name] for entry in sets if name in entry])
            for name in names(sets)
        }
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)


def _value(name: str, values: Sequence[Any]) -> Any:
    """Merge one key: a limit, a limit with what is used of it, or the id of the set."""
    if isinstance(values[0], dict):
        return {field: _part(name, field, values) for field in values[0]}
    if isinstance(values[0], int):
        return lowest_limit(values)
    return values[0]


def _part(name: str, field: str, values: Sequence[dict[str, int]]) -> int:
    parts = [value[field] for value in values if field in value]
    if field == "limit":
        return lowest_limit(parts)
    return max(parts) if name in _REPLICATED else sum(parts)
