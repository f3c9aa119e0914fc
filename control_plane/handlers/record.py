"""Watch a pod's answer: record what it made before the client knows of it, and what ended."""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
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
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import GONE
from control_plane.services.items import items
from control_plane.services.operation import Ref, Resource
from control_plane.services.reference import references

log = structlog.get_logger()

_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer tells beside what is in it: what ended, for sure or not, and what was made."""

    subject: tuple[str, str] | None
    sure: bool
    makes: Ref | None


def watcher(
    cloud: Cloud,
    call: Call,
    pod: Pod,
    *,
    ends: tuple[str, str] | None = None,
    makes: Ref | None = None,
) -> Watcher | None:
    """Make the watcher a request needs: learn what the answer tells, translate what it shows.

    `ends` is the resource that is gone when the pod agrees, `makes` what it makes then and where
    the answer says its id, where the body and not the row says so.
    """
    operation = call.operation
    resource = call.service.resources.get(operation.answer)
    told = _Told(ends or ended_by(call), ends is not None, makes)
    if not (resource or told.subject or operation.takes or makes):
        return None
    translation = Translation(call.view, pod, call.gateway, call.authority)

    async def watch(answer: Watched) -> bytes | None:
        try:
            await _learn(cloud, call, pod, told, answer)
        except Exception:
            # The pod has done what it was asked to; what is not learnt now is found by asking.
            log.exception("answer_not_learnt", pod=pod.name, request_id=call.request_id)
        changed = await _translated(cloud, pod, translation, resource, answer)
        return changed if changed != answer.body else None

    return watch


async def _learn(cloud: Cloud, call: Call, pod: Pod, told: _Told, answer: Watched) -> None:
    operation = call.operation
    resource = call.service.resources.get(operation.answer)
    if told.subject is not None:
        await note_end(cloud, call, told.subject, answer.status, sure=told.sure)
    if answer.status >= _FIRST_ERROR:
        return
    if told.makes is not None:
        await _record_made(cloud, call, pod, told.makes, answer)
    if not answer.body:
        return
    if resource is not None:
        if operation.creates:
            await _record(cloud, call, pod, resource, answer.body)
        await cloud.copies.learn(resource, pod, answer.body)
        meet_held(cloud, call, pod, resource, answer.body)
    if operation.takes is not None:
        await take(cloud, call, pod, operation.takes, answer.body)


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
            # An id that the caller chose may be a copy's of what other pods have.
            if call.body and _names(call.json, resource):
                await cloud.holders.forget(resource.name, owner.id)
            else:
                await cloud.holders.made(owner)
    elif owners:
        await cloud.directory.record(owners)
    if call.operation.batch is not None:
        follow_batch(cloud, call, pod, resource, body)


def _names(body: object, resource: Resource) -> bool:
    """Whether the body of a create says which id the new thing is to have."""
    return any(item.get(resource.identity) for item in items(body, resource))


async def _record_made(cloud: Cloud, call: Call, pod: Pod, makes: Ref, answer: Watched) -> None:
    """Record what an action made of a kind that other pods may have, too."""
    made = answer.headers.get("location", "").rpartition("/")[2]
    if not made and answer.body:
        made = next(references(msgspec.json.decode(answer.body), makes.path), "")
    if made:
        project = (await cloud.identify(call)).project_id
        await cloud.holders.made(Owner(made, makes.resource, pod.name, project, datetime.now(UTC)))
