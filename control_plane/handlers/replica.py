"""Replicated things in a request: which pods have them, and what a pod calls them."""

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.subject import named
from control_plane.model.pod import Pod
from control_plane.services.operation import Ref
from control_plane.services.reference import replace


async def holders_of(cloud: Cloud, call: Call, refs: tuple[Ref, ...]) -> dict[str, frozenset[str]]:
    """Find the pods that have the images and flavors a request names."""
    found: dict[str, frozenset[str]] = {}
    for ref in refs:
        for resource_id in named(call, ref):
            question = await cloud.question(call, ref.resource, resource_id)
            if question is None or _by_name(call, ref):
                continue
            pods = call.view.with_service(question.service)
            result = await cloud.holders.of(question, pods)
            if result.holders:
                found[resource_id] = frozenset(result.holders)
    return found


async def write_copies(cloud: Cloud, call: Call, refs: tuple[Ref, ...]) -> bool:
    """Put names for ids that some pod made, where pods know the thing by its name alone.

    Says whether that changed the body.
    """
    changed = False
    for ref in refs:
        if not _by_name(call, ref):
            continue
        for resource_id in named(call, ref):
            name = await _name_of(cloud, call, ref.resource, resource_id)
            if name and name != resource_id:
                changed = bool(replace(call.json, ref.path, {resource_id: name})) or changed
    return changed


def _by_name(call: Call, ref: Ref) -> bool:
    """Whether copies of a thing have an id of their own in each pod and the name in common."""
    resource = call.service.resources.get(ref.resource)
    return resource is not None and resource.merge_by != resource.identity


async def _name_of(cloud: Cloud, call: Call, resource: str, resource_id: str) -> str | None:
    """Find the name of a thing whose id some pod made; None when no pod has that id."""
    question = await cloud.question(call, resource, resource_id)
    if question is None:
        return None
    found = await cloud.holders.of(question, call.view.with_service(question.service))
    pod: Pod | None = call.view.fleet.get(found.holders[0]) if found.holders else None
    if pod is None:
        return None
    answer = await cloud.pods.ask(pod, question.probe)
    kind = call.service.resources[resource]
    try:
        name = msgspec.json.decode(answer.body)[kind.key][kind.merge_by]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None
