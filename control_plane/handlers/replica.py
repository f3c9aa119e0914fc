"""Replicated things in a request: which pods have them, and what a pod calls them."""

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.subject import named
from control_plane.model.pod import Pod
from control_plane.replication.bringing import Owned
from control_plane.replication.copies import Unresolved
from control_plane.replication.write import is_mapped
from control_plane.services.operation import Ref
from control_plane.services.reference import replace


async def holders_of(cloud: Cloud, call: Call, refs: tuple[Ref, ...]) -> dict[str, frozenset[str]]:
    """Find the pods that have the images and flavors a request names."""
    found: dict[str, frozenset[str]] = {}
    for ref in refs:
        for resource_id in named(call, ref):
            if is_mapped(call.service, ref.resource):
                await cloud.copies.resolve(ref.resource, resource_id)
                copies = cloud.copies.holders(ref.resource, resource_id)
                if copies:
                    found[resource_id] = copies
                continue
            result = cloud.holders.kept(ref.resource, resource_id, call.project_id)
            if result is None:
                question = await cloud.question(call, ref.resource, resource_id)
                if question is None:
                    continue
                pods = call.view.with_service(question.service)
                result = await cloud.holders.of(question, pods)
            if result.holders:
                found[resource_id] = frozenset(result.holders)
    return found


async def bring_owned(cloud: Cloud, call: Call, refs: tuple[Ref, ...], pod: Pod) -> None:
    """Have in a pod what a request names of the caller's own, if any pod has it."""
    if cloud.bringing is None:
        return
    for ref in refs:
        for name in named(call, ref):
            kind = call.service.resources[ref.resource]
            thing = Owned(call.service, kind, await cloud.identify(call), name)
            await cloud.bringing.bring(call.view, thing, pod)


async def write_copies(cloud: Cloud, call: Call, refs: tuple[Ref, ...], pod: Pod) -> bool:
    """Put a pod's own ids for those that users know, where pods invent them.

    Says whether that changed the body. What the pod has no copy of stays, for the pod to refuse
    in its own words; names are the same everywhere.
    """
    changed = False
    for ref in refs:
        if not is_mapped(call.service, ref.resource) or ref.path.startswith("?"):
            continue
        for thing in named(call, ref):
            await cloud.copies.resolve(ref.resource, thing)

        def local(thing: str, resource: str = ref.resource) -> str:
            return local_id(cloud, resource, thing, pod)

        changed = bool(replace(call.json, ref.path, local)) or changed
    return changed


def local_id(cloud: Cloud, resource: str, thing: str, pod: Pod) -> str:
    """Give a pod's id of what users call so; what it has no copy of stays as it is."""
    try:
        return cloud.copies.pod_id(resource, thing, pod.name)
    except Unresolved:
        return thing
