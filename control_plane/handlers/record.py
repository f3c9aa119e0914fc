"""Watch a pod's answer: record what it made before the client knows of it, and what ended."""

import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.created import created, follow_batch
from control_plane.handlers.decision import Watched, Watcher
from control_plane.handlers.ending import ended_by, note_end
from control_plane.handlers.held import meet_held
from control_plane.handlers.shadow import show_groups
from control_plane.handlers.transfer import take
from control_plane.handlers.translate import Translation
from control_plane.model.pod import Pod
from control_plane.pods.client import GONE
from control_plane.services.operation import Resource

log = structlog.get_logger()

_FIRST_ERROR = 400


def watcher(
    cloud: Cloud, call: Call, pod: Pod, *, ends: tuple[str, str] | None = None
) -> Watcher | None:
    """Make the watcher a request needs: learn what the answer tells, translate what it shows.

    `ends` is the resource that is gone when the pod agrees, where the body and not the row says
    so.
    """
    operation = call.operation
    resource = call.service.resources.get(operation.answer)
    subject = ends or ended_by(call)
    if resource is None and subject is None and operation.takes is None:
        return None
    translation = Translation(call.view, pod, call.gateway, call.authority)

    async def learn(answer: Watched) -> None:
        if subject is not None:
            await note_end(cloud, call, subject, answer.status, sure=ends is not None)
        if not answer.body or answer.status >= _FIRST_ERROR:
            return
        if operation.creates and resource is not None:
            await _record(cloud, call, pod, resource, answer.body)
        if resource is not None:
            await cloud.copies.learn(resource, pod, answer.body)
            meet_held(cloud, call, pod, resource, answer.body)
        if operation.takes is not None:
            await take(cloud, call, pod, operation.takes, answer.body)

    async def watch(answer: Watched) -> bytes | None:
        try:
            await learn(answer)
        except Exception:
            # The pod has done what it was asked to; what is not learnt now is found by asking.
            log.exception("answer_not_learnt", pod=pod.name, request_id=call.request_id)
        changed = await _translated(cloud, pod, translation, resource, answer)
        return changed if changed != answer.body else None

    return watch


async def _translated(
    cloud: Cloud,
    pod: Pod,
    translation: Translation,
    resource: Resource | None,
    answer: Watched,
) -> bytes:
    if answer.status in GONE:
        cloud.suspect(pod.name)
    if answer.status >= _FIRST_ERROR:
        return translation.fault(answer.body)
    if resource is None or not answer.body:
        return answer.body
    return await show_groups(cloud, pod, resource, translation.body(answer.body, resource))


async def _record(cloud: Cloud, call: Call, pod: Pod, resource: Resource, body: bytes) -> None:
    owners = created(body, resource, pod.name, call.project_id)
    if resource.replicated:
        for owner in owners:
            await cloud.holders.forget(resource.name, owner.id)
    elif owners:
        await cloud.directory.record(owners)
    if call.operation.batch is not None:
        follow_batch(cloud, call, pod, resource, body)
