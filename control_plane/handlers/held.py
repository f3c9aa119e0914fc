"""Learn from an answer what else is in the pod: volumes that Nova made for a server it booted.

They are made without a request of their own, so that nobody recorded them. What is not learnt here
is found by asking the pods.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.services.field import first_of
from control_plane.services.items import items
from control_plane.services.operation import Resource
from control_plane.services.reference import references


def meet_held(cloud: Cloud, call: Call, pod: Pod, resource: Resource, body: bytes) -> None:
    """Have what an answer shows to be in the pod recorded, after the client has the answer."""
    if not any(_filled(first_of(ref.path)).search(body) for ref in resource.holds):
        return
    owners = [
        owner
        for owner in _owners(msgspec.json.decode(body), resource, pod, call.project_id)
        if not cloud.directory.remembers(owner.id)
    ]
    if owners:
        cloud.later.run("held_not_recorded", _record(cloud, owners))


@lru_cache(maxsize=64)
def _filled(field: str) -> re.Pattern[bytes]:
    """Find a field that is no empty list, without decoding the answer."""
    return re.compile(rb'"' + re.escape(field).encode() + rb'"\s*:(?!\s*\[\s*\])')


def _owners(document: Any, resource: Resource, pod: Pod, project_id: str) -> Iterator[Owner]:
    for item in items(document, resource):
        for ref in resource.holds:
            for held in references(item, ref.path):
                project = item.get("tenant_id", project_id)
                yield Owner(held, ref.resource, pod.name, project)


async def _record(cloud: Cloud, owners: list[Owner]) -> None:
    unknown = [owner for owner in owners if await cloud.directory.known(owner.id) is None]
    if unknown:
        await cloud.directory.record(unknown)
