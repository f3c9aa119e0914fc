"""Limits and what is used of them.

The rule, of limits and quotas alike: a limit is one value for the whole cloud. A new limit goes to
every pod as it is, so the pods agree and that value is shown; where they do not, the lowest that
is not -1 (unlimited). What is used is the sum over the pods, but for things that every pod has a
copy of, which are counted once.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import documents
from control_plane.handlers.decision import Decision, Reply

_UNLIMITED = -1
#: What is used of things that exist once for users and in every pod.
_REPLICATED = frozenset({"totalSecurityGroupsUsed"})


async def limits(cloud: Cloud, call: Call) -> Decision:
    """Show the cloud's limits and what the project uses of them in all pods."""
    found, missing = await documents(cloud, call)
    bodies = [document.body["limits"] for document in found]
    absolutes = [body.get("absolute", {}) for body in bodies]
    absolute = {name: _value(name, absolutes) for name in names(absolutes)}
    body = {"limits": {**bodies[0], "absolute": absolute}}
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)


def _value(name: str, absolutes: Sequence[dict[str, Any]]) -> Any:
    values = [entry[name] for entry in absolutes if name in entry]
    if not (name.startswith("total") and name.endswith("Used")):
        return lowest_limit(values)
    return max(values) if name in _REPLICATED else sum(values)


def names(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Give the keys of all objects, each once, in the order in which they come."""
    return list(dict.fromkeys(name for entry in entries for name in entry))


def lowest_limit(values: Sequence[int]) -> int:
    """Take the lowest limit; -1 means unlimited and is the highest."""
    limited = [value for value in values if value != _UNLIMITED]
    return min(limited) if limited else _UNLIMITED
