"""Broadcast: a write that every pod gets; what a pod misses now is made up for later."""

import asyncio
import uuid
from functools import partial

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.errors import NOT_JSON
from control_plane.model.part_id import part_id
from control_plane.pods.client import PodAnswer
from control_plane.replication.bodies import chosen
from control_plane.replication.broadcast import Outcome
from control_plane.replication.write import Write
from control_plane.services.field import change
from control_plane.services.operation import Resource

_FIRST_ERROR = 400
_KEPT = ("location",)


async def broadcast(cloud: Cloud, call: Call) -> Decision:
    """Carry a write out in all pods; the first one's answer is the client's."""
    caller = await cloud.identify(call)
    write = chosen(write_of(call), {path: str(uuid.uuid4()) for path in call.operation.chosen})
    version = str(call.version) if call.version else ""
    disabled = [
        pod
        for pod in call.view.fleet
        if not pod.serves and call.view.endpoint(pod.name, call.service.name)
    ]
    work = cloud.everywhere.carry_out(write, call.able_pods, caller, version, disabled)
    # Shielded: a client that goes away must not leave a write done in some pods alone.
    outcome = await asyncio.shield(asyncio.create_task(work))
    for resource, resource_id in call.match.params.items():
        await cloud.holders.forget(resource, resource_id)
    if outcome.answer.status >= _FIRST_ERROR:
        raise PodRefusal(outcome.answer)
    return _reply(call, outcome)


def write_of(call: Call) -> Write:
    """Say a request in the terms of replication."""
    return Write(
        call.service,
        call.operation,
        call.method,
        call.match.params,
        call.parameters,
        call.body or None,
        call.json if call.body else None,
        call.carried,
        call.location.version,
        call.match.project,
        call.authority,
    )


def shown(call: Call, answer: PodAnswer) -> bytes:
    """Put a pod's answer into the users' words."""
    translation = Translation(call.view, answer.pod, call.gateway, call.authority)
    resource = call.service.resources.get(call.operation.answer)
    if resource is None:
        return translation.links(answer.body)
    body = translation.body(answer.body, resource)
    return _with_part_ids(call, resource, body) if resource.parts else body


def _with_part_ids(call: Call, resource: Resource, body: bytes) -> bytes:
    """Show the id of a part, which each pod invented, as one made of the users' id of the whole."""
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return body
    whole = document if isinstance(document, dict) else {}
    changed = 0
    for ref in resource.parts:
        new = partial(_said, part_id(resource.name, call.match.params[ref.resource]))
        changed += sum(change(item, ref.path, new) for item in (whole, whole.get(resource.key)))
    return msgspec.json.encode(document) if changed else body


def _said(new: str, _: object) -> str:
    return new


def _reply(call: Call, outcome: Outcome) -> Reply:
    answer = outcome.answer
    translation = Translation(call.view, answer.pod, call.gateway, call.authority)
    headers = {
        name: translation.links(answer.headers[name].encode()).decode()
        for name in _KEPT
        if name in answer.headers
    }
    return Reply(
        answer.status,
        shown(call, answer),
        headers,
        tuple(sorted({pod.availability_zone for pod in outcome.missing})),
        answer.headers.get("content-type", "application/json"),
        "broadcast",
    )
