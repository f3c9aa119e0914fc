"""The zones users see; one is available when one of its pods has a zone that is."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import Document, documents
from control_plane.handlers.decision import Decision, Reply


async def zones(cloud: Cloud, call: Call) -> Decision:
    """List the zones users see, with the hosts of all pods where the list has hosts."""
    found, missing = await documents(cloud, call)
    resource = call.service.resources[call.operation.answer]
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for document in found:
        for entry in document.body.get(resource.plural, ()):
            shown = document.translation.words.zone(entry.get(resource.identity))
            if isinstance(entry.get("hosts"), dict):
                entry["hosts"] = document.translation.words.host(entry["hosts"])
            _add(merged, entry, resource.identity, shown)
    for zone in missing:
        if not any(key[0] == zone for key in merged):
            entry = {resource.identity: zone, **_unavailable(found)}
            _add(merged, entry, resource.identity, zone)
    ordered = [merged[key] for key in sorted(merged, key=str)]
    return Reply(HTTPStatus.OK, msgspec.json.encode({resource.plural: ordered}), missing=missing)


def _unavailable(found: list[Document]) -> dict[str, Any]:
    """Make the state of a zone whose pods do not answer, in the form the other pods use."""
    text = msgspec.json.encode([document.body for document in found])
    if b'"zoneState"' in text:
        entry: dict[str, Any] = {"zoneState": {"available": False}}
        if b'"hosts"' in text:
            entry["hosts"] = None
        return entry
    return {"state": "unavailable"}


def _add(
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
