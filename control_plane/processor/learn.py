"""What the owner cache in Envoy is told of an id, and of the service of the pod that has it.

    id | flags | cluster | path | zone | zone inside | mask | (URL | path | prefix here)…

The zones are JSON. Flag `a`: no group in the pod is part of one in another; `s`: the answer is put
into the users' words by the owner cache; `h`: the caller's lists of the kind are this pod's alone,
for a moment. envoy/lua/owner_cache.lua reads it.
"""

import json
from urllib.parse import quote

from control_plane.handlers import Cloud
from control_plane.handlers.call import Call
from control_plane.handlers.decision import Forward
from control_plane.model.endpoint import cluster_name
from control_plane.model.host_id import mask
from control_plane.model.pod import Pod
from control_plane.pods.view import View
from control_plane.services.catalog import SERVICES
from control_plane.services.service import Service

#: By view (its identity), pod and service.
_Key = tuple[str, str]


class Teacher:
    """Writes lessons; what does not depend on the id is written once a view."""

    def __init__(self) -> None:
        """Start with nothing written."""
        self._view: View | None = None
        self._written: dict[_Key, str] = {}

    async def lesson(
        self, cloud: Cloud, call: Call, forward: Forward, *, seen: bool, alone: str = ""
    ) -> str:
        """Write what is to be kept of an answer's owner; empty when there is nothing.

        `seen`: the owner cache rewrites the answer, and must be told how even where it keeps
        nothing. `alone`: of such things it is known (`is_alone`).
        """
        if forward.owned is None and not seen:
            return ""
        resource_id, apart = "", False
        if forward.owned is not None:
            kind, resource_id = forward.owned
            apart = kind == alone or await is_alone(cloud, call.service, kind, forward.pod)
        flags = ("a" if apart else "") + ("s" if seen else "") + ("h" if forward.home else "")
        return f"{quote(resource_id)}|{flags}|{self._cluster(call.view, forward.pod, call.service)}"

    def _cluster(self, view: View, pod: Pod, service: Service) -> str:
        if view is not self._view:
            self._view = view
            self._written = {}
        key = (pod.name, service.name)
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = describe(view, pod, service)
        return found


def describe(view: View, pod: Pod, service: Service) -> str:
    """Write what rewriting the answers of a pod's service depends on."""
    endpoint = view.endpoint(pod.name, service.name)
    parts = [
        cluster_name(pod.name, service.name),
        endpoint.path if endpoint else "",
        json.dumps(pod.availability_zone),
        json.dumps(pod.pod_availability_zone),
        mask(pod.name),
    ]
    for other in SERVICES:
        there = view.endpoint(pod.name, other.name)
        if there is not None:
            path = there.path if there.path != other.prefix else ""
            parts += [there.url, path, other.prefix]
    return "|".join(quote(part, safe="/:") for part in parts)


async def is_alone(cloud: Cloud, service: Service, kind: str, pod: Pod) -> bool:
    """Whether no id that a thing's answers show is a pod's own id of what others have, too."""
    resource = service.resources.get(kind)
    for ref in resource.shadows if resource is not None else ():
        if await cloud.directory.shadows.any_in(ref.resource, pod.name):
            return False
    return True
