"""Action: a POST whose body's only key says what is asked of the resource in the path."""

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud, is_placed
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.host import require_hosts, write_hosts
from control_plane.handlers.record import watcher
from control_plane.handlers.replica import bring_owned, write_copies
from control_plane.handlers.static import gone
from control_plane.handlers.subject import owner_reference, require_same_pod
from control_plane.handlers.zone import require_zone, write_zone
from control_plane.model.errors import NOT_JSON
from control_plane.model.pod import Pod
from control_plane.services.action import Action
from control_plane.services.operation import Kind, Ref


async def action(cloud: Cloud, call: Call) -> Decision:
    """Carry an action to the owner of the resource, refusing what needs another pod.

    An action nobody knows, and a body that is none, get the pod's own error.
    """
    rule = asked_action(call)
    if rule.kind is Kind.STATIC:
        return await gone(cloud, call)
    subject = owner_reference(call)
    pod = await cloud.owner(call, *subject) if subject else None
    if subject is None or pod is None:
        return Forward(call.any_pod(), "nowhere")
    noun = subject[0].replace("_", " ")
    await require_same_pod(cloud, call, pod, noun, rule.same_pod)
    require_zone(call, pod, rule.zone)
    require_hosts(call, pod, rule.hosts)
    await bring_owned(cloud, call, rule.brings, pod)
    changed = await _write(cloud, call, pod, rule)
    makes = Ref(rule.creates, rule.made) if rule.made else None
    ends = subject if rule.ends else None
    watch = watcher(cloud, call, pod, ends=ends, makes=makes)
    body = msgspec.json.encode(call.json) if changed else None
    owned = subject if is_placed(call.service, subject[0]) else None
    return Forward(pod, "owner", body=body, watch=watch, owned=owned)


def asked_action(call: Call) -> Action:
    """Find what is known of the action a body asks for; a plain one when nothing is."""
    resource = next(iter(call.match.params), "")
    known = call.service.actions.get(resource, {})
    try:
        body = msgspec.json.decode(call.body)
    except NOT_JSON:
        return Action()
    if not isinstance(body, dict) or len(body) != 1:
        return Action()
    return known.get(next(iter(body)), Action())


async def _write(cloud: Cloud, call: Call, pod: Pod, rule: Action) -> bool:
    """Put the pod's words into the body; say whether that changed it."""
    changed = (
        write_zone(call, pod, rule.zone),
        write_hosts(call, rule.hosts),
        await write_copies(cloud, call, rule.copies, pod),
    )
    return any(changed)
