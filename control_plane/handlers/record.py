"""Record the ids in the answer to a create, before the client sees them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Watched, Watcher
from control_plane.handlers.translate import Translation
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.services.operation import Resource

_FIRST_ERROR = 400


def _items(document: Any, resource: Resource) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict):
        return
    one, many = document.get(resource.key), document.get(resource.plural)
    if isinstance(one, dict):
        yield one
    elif isinstance(many, list):
        yield from (item for item in many if isinstance(item, dict))
    elif resource.identity in document:
        yield document  # Glance wraps nothing


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
    except msgspec.DecodeError:
        return []
    return [
        Owner(item[resource.identity], resource.name, pod, project_id, _created_at(item))
        for item in _items(document, resource)
        if isinstance(item.get(resource.identity), str)
    ]


def watcher(cloud: Cloud, call: Call, pod: Pod) -> Watcher | None:
    """Make the watcher an operation needs: record what was created, translate what is shown."""
    resource = call.service.resources.get(call.operation.answer)
    if resource is None:
        return None
    translation = Translation(call.view, pod, call.gateway, call.authority)

    async def watch(answer: Watched) -> bytes | None:
        if not answer.body:
            return None
        if call.operation.creates and answer.status < _FIRST_ERROR:
            owners = created(answer.body, resource, pod.name, call.project_id)
            if resource.replicated:
                for owner in owners:
                    cloud.holders.forget(resource.name, owner.id)
            elif owners:
                await cloud.directory.record(owners)
        changed = translation.body(answer.body, resource)
        return changed if changed != answer.body else None

    return watch
