"""Find an id of which nothing is known, not even what it is: for operators, never for users.

Every pod is asked for every kind of placed resource, with the gateway's own token.
"""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

from control_plane.model.errors import PodUnreachable
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.operation import Resource
from control_plane.services.service import Service

#: Questions under way at once: a survey must not crowd out users' requests.
PARALLEL = 16


class Asker(Protocol):
    """Asks a pod."""

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request to one pod."""


async def survey(
    asker: Asker,
    services: Sequence[Service],
    pods: Mapping[str, Sequence[Pod]],
    resource_id: str,
    token: str,
    project_id: str,
) -> Owner | None:
    """Ask who has an id; `pods` are by service name. None when nobody who answered has it."""
    limit = asyncio.Semaphore(PARALLEL)

    async def ask(pod: Pod, service: Service, resource: Resource) -> Owner | None:
        path = service.path(resource.probe.format(id=quote(resource_id, safe="")), project_id)
        request = PodRequest(service.name, "GET", path, {"x-auth-token": token})
        async with limit:
            try:
                answer = await asker.ask(pod, request)
            except PodUnreachable:
                return None
        found = answer.status == HTTPStatus.OK
        return Owner(resource_id, resource.name, pod.name) if found else None

    asked = [
        ask(pod, service, resource)
        for service in services
        for resource in service.resources.values()
        if resource.probe and not resource.replicated
        for pod in pods.get(service.name, ())
    ]
    return next((owner for owner in await asyncio.gather(*asked) if owner), None)
