"""Read from the answer to a create what was made, and look for what the answer does not show."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.errors import NOT_JSON
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.services.items import items
from control_plane.services.operation import Batch, Resource
from control_plane.services.reference import references

_FIRST_ERROR = 400
#: More than were made: others of the project may have been made at the same moment, and whatever
#: a pod lists is in that pod.
_OTHERS = 20


def _created_at(item: dict[str, Any]) -> datetime:
    for name in ("created", "created_at"):
        try:
            moment = datetime.fromisoformat(item[name])
        except (KeyError, TypeError, ValueError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.now(UTC)


def created(body: bytes, resource: Resource, pod: str, project_id: str) -> list[Owner]:
    """Read the owners that the answer to a create tells of; empty when it tells of none."""
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return []
    return [
        Owner(item[resource.identity], resource.name, pod, project_id, _created_at(item))
        for item in items(document, resource)
        if isinstance(item.get(resource.identity), str)
    ]


def follow_batch(cloud: Cloud, call: Call, pod: Pod, resource: Resource, body: bytes) -> None:
    """Have all that one create made recorded, after the client has its answer.

    What is not found now is not lost, since the pods are asked for an id that is not known.
    """
    batch = call.operation.batch
    if batch is None:
        return
    shared = next(references(msgspec.json.decode(body), batch.shared), "")
    count = _count(call.json, batch)
    if count > 1 or shared:
        work = _record_batch(cloud, call, pod, resource, _query(batch, shared, count))
        cloud.later.run("batch_not_recorded", work)


def _count(body: object, batch: Batch) -> int:
    texts = [text for path in batch.counts for text in references(body, path)]
    return max((int(text) for text in texts if text.isdecimal()), default=1)


def _query(batch: Batch, shared: str, count: int) -> str:
    return urlencode({batch.shared: shared} if shared else {"limit": count + _OTHERS})


async def _record_batch(cloud: Cloud, call: Call, pod: Pod, resource: Resource, query: str) -> None:
    path = call.sibling(call.operation.batch.path if call.operation.batch else "")
    request = replace(call.to_pods("GET", path, query), body=None)
    answer = await cloud.pods.ask(pod, request)
    if answer.status >= _FIRST_ERROR:
        return
    owners = created(answer.body, resource, pod.name, call.project_id)
    # Of the rest some may be on their way out already.
    unknown = [owner for owner in owners if await cloud.directory.known(owner.id) is None]
    await cloud.directory.record(unknown)
