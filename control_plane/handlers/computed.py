"""Computed: answers made of what all pods say, such as zones and limits."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.model.errors import unavailable
from control_plane.model.pod import Pod

#: The zone in which Nova shows its control services; it is no zone users can ask for.
INTERNAL = "internal"

#: Limits that hold for each thing or each user, not for the sum over pods.
_EACH = frozenset({"maxTotalKeypairs", "maxTotalPrivateNetworks"})
#: Limits that are sums though their name does not say so.
_SUMMED = frozenset({"maxServerGroups"})


async def _documents(cloud: Cloud, call: Call) -> tuple[list[tuple[Pod, Any]], tuple[str, ...]]:
    """Ask all pods the caller's own question; their decoded answers and the missing zones."""
    await cloud.identify(call)
    pods = call.view.with_service(call.service.name)
    answers, unreachable = await cloud.pods.ask_all(pods, call.to_pods(query=call.query))
    gone = {entry.pod for entry in unreachable}
    documents = []
    for answer in answers:
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            gone.add(answer.pod.name)
        elif answer.status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answer)
        else:
            documents.append((answer.pod, msgspec.json.decode(answer.body)))
    if not documents:
        message = "No part of the cloud answers now."
        raise unavailable(message)
    missing = {pod.availability_zone for pod in pods if pod.name in gone}
    return documents, tuple(sorted(missing))


async def zones(cloud: Cloud, call: Call) -> Decision:
    """List the zones users see; a zone is available when one of its pods has one that is."""
    documents, missing = await _documents(cloud, call)
    resource = call.service.resources[call.operation.answer]
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for pod, document in documents:
        for entry in document.get(resource.plural, ()):
            name = entry.get(resource.identity)
            shown = name if name == INTERNAL else pod.availability_zone
            _add_zone(merged, entry, resource.identity, shown)
    for zone in missing:
        if not any(key[0] == zone for key in merged):
            entry = {resource.identity: zone, **_unavailable(documents)}
            _add_zone(merged, entry, resource.identity, zone)
    ordered = [merged[key] for key in sorted(merged, key=str)]
    return Reply(HTTPStatus.OK, msgspec.json.encode({resource.plural: ordered}), missing=missing)


def _unavailable(documents: list[tuple[Pod, Any]]) -> dict[str, Any]:
    """Make the state of a zone whose pods do not answer, in the form the other pods use."""
    text = msgspec.json.encode([document for _, document in documents])
    if b'"zoneState"' in text:
        entry: dict[str, Any] = {"zoneState": {"available": False}}
        if b'"hosts"' in text:
            entry["hosts"] = None
        return entry
    return {"state": "unavailable"}


def _add_zone(
    merged: dict[tuple[Any, ...], dict[str, Any]], entry: Mapping[str, Any], name: str, shown: str
) -> None:
    key = (shown, entry.get("resource", ""))
    held = merged.get(key)
    if held is None:
        merged[key] = {**entry, name: shown}
        return
    if entry.get("zoneState", {}).get("available"):
        held["zoneState"] = entry["zoneState"]
    if entry.get("state") == "available":
        held["state"] = "available"
    if isinstance(entry.get("hosts"), dict):
        held["hosts"] = {**(held.get("hosts") or {}), **entry["hosts"]}


async def limits(cloud: Cloud, call: Call) -> Decision:
    """Add up usage and limits over the pods; a limit that is not a sum is the lowest one."""
    documents, missing = await _documents(cloud, call)
    bodies = [document["limits"] for _, document in documents]
    absolute: dict[str, int] = {}
    for name in bodies[0].get("absolute", {}):
        values = [body["absolute"][name] for body in bodies if name in body["absolute"]]
        absolute[name] = _rule(name)(values)
    body = {"limits": {**bodies[0], "absolute": absolute}}
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)


def _rule(name: str) -> Callable[[list[int]], int]:
    if name.startswith("total") and name.endswith("Used"):
        return sum
    if name in _SUMMED or (name.startswith("maxTotal") and name not in _EACH):
        return sum_of_limits
    return lowest_limit


def sum_of_limits(values: list[int]) -> int:
    """Add limits up; -1 means unlimited and makes the sum unlimited."""
    return -1 if -1 in values else sum(values)


def lowest_limit(values: list[int]) -> int:
    """Take the lowest limit; -1 means unlimited and is the highest."""
    limited = [value for value in values if value != -1]
    return min(limited) if limited else -1
