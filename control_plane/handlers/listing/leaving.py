"""Whether a project has left a pod, so that its lists can be another's alone again.

Noticed when a list of all pods shows nothing there. Then the pod is asked, once in a while and when
the client has its answer, for one of each kind of thing whose lists may be one pod's.
"""

from collections.abc import Collection
from functools import lru_cache
from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.errors import NOT_JSON, PodUnreachable
from control_plane.model.pod import Pod
from control_plane.model.stay import Stay
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.catalog import SERVICES
from control_plane.services.lane import is_home
from control_plane.services.operation import Resource
from control_plane.services.service import Service


async def notice(cloud: Cloud, call: Call, having: Collection[Pod]) -> None:
    """Look at pods where a list of all pods showed nothing, if no create can be under way there."""
    stays = await cloud.presence.settled(call.project_id)
    for pod in call.view.fleet if stays else ():
        stay = stays.get(pod.id)
        if stay is None or pod in having or not cloud.presence.may_look(call.project_id, pod.id):
            continue
        await _look(cloud, call, pod, stay)


async def _look(cloud: Cloud, call: Call, pod: Pod, stay: Stay) -> None:
    for service, path, resource in _kinds():
        if call.view.endpoint(pod.name, service.name) is None:
            continue
        request = PodRequest(
            service.name,
            "GET",
            f"{service.path(path, call.project_id)}?limit=1",
            {"x-auth-token": call.token, "accept": "application/json"},
        )
        try:
            answer = await cloud.pods.ask(pod, request)
        except PodUnreachable:
            return
        if not _is_empty(answer, resource):
            return
    await cloud.presence.leave(call.project_id, pod.id, stay)


@lru_cache(1)
def _kinds() -> tuple[tuple[Service, str, Resource], ...]:
    """Name the lists that may be one pod's, one of each kind of thing."""
    return tuple(
        (service, path, service.resources[name])
        for service in SERVICES
        # The first row of a kind is the shortest list of it.
        for name, path in {
            row.answer: row.path for row in reversed(service.operations) if is_home(service, row)
        }.items()
    )


def _is_empty(answer: PodAnswer, resource: Resource) -> bool:
    if answer.status != HTTPStatus.OK:
        return False
    try:
        document = msgspec.json.decode(answer.body, type=dict[str, list[msgspec.Raw]])
    except NOT_JSON:
        return False
    return document.get(resource.plural) == []
