"""Events: a batch about servers of several pods, each told to the pod of its server.

The answer has the events in the order of the request, each with its own status and code, and is
207 as soon as one of them failed.
"""

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.model.errors import NOT_JSON, PodUnreachable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest

_EVENTS = "events"


async def events(cloud: Cloud, call: Call) -> Decision:
    """Split the batch, tell each pod its part and put the answers together."""
    await cloud.identify(call)
    batch = call.json.get(_EVENTS) if isinstance(call.json, dict) else None
    if not isinstance(batch, list) or not all(_well_formed(entry) for entry in batch) or not batch:
        # A pod says what is wrong with it.
        return Forward(call.any_pod(), "any")
    servers = list(dict.fromkeys(entry["server_uuid"] for entry in batch))
    owners = await asyncio.gather(*(cloud.owner(call, "server", server) for server in servers))
    # A server that no pod has is told to one of them, for its word on that and on the caller.
    stranger = call.any_pod()
    pods = dict(zip(servers, (owner or stranger for owner in owners), strict=True))
    parts: dict[str, list[int]] = {}
    for position, entry in enumerate(batch):
        parts.setdefault(pods[entry["server_uuid"]].name, []).append(position)
    told = await asyncio.gather(
        *(
            _tell(cloud, call, pod, [entry for entry in batch if pods[entry["server_uuid"]] == pod])
            for pod in (call.view.fleet.get(name) for name in parts)
            if pod is not None
        )
    )
    answered: dict[int, Any] = {}
    for places, entries in zip(parts.values(), told, strict=True):
        answered.update(zip(places, entries, strict=True))
    shown = [answered[position] for position in range(len(batch))]
    failed = any(entry.get("code") != HTTPStatus.OK for entry in shown)
    status = HTTPStatus.MULTI_STATUS if failed else HTTPStatus.OK
    return Reply(status, msgspec.json.encode({_EVENTS: shown}), reason="split")


def _well_formed(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("server_uuid"), str)


async def _tell(cloud: Cloud, call: Call, pod: Pod, part: list[Any]) -> list[Any]:
    """Send one pod its events."""
    try:
        answer = await cloud.pods.ask(pod, _request(call, part))
    except PodUnreachable:
        return _failed(part, HTTPStatus.SERVICE_UNAVAILABLE)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failed(part, HTTPStatus.SERVICE_UNAVAILABLE)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise PodRefusal(answer)
    entries = _entries(answer)
    return entries if len(entries) == len(part) else _failed(part, HTTPStatus.BAD_GATEWAY)


def _request(call: Call, part: list[Any]) -> PodRequest:
    whole = call.to_pods(query=call.query)
    body = msgspec.json.encode({_EVENTS: part})
    return replace(whole, body=body)


def _entries(answer: PodAnswer) -> list[Any]:
    try:
        entries = msgspec.json.decode(answer.body)[_EVENTS]
    except (*NOT_JSON, KeyError, TypeError):
        return []
    return entries if isinstance(entries, list) else []


def _failed(part: list[Any], code: HTTPStatus) -> list[Any]:
    return [{**entry, "status": "failed", "code": int(code)} for entry in part]
