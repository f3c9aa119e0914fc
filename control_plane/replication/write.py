"""A write in the users' words, and the request it becomes in each pod."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from control_plane.replication.copies import Copies
from control_plane.services.operation import Operation
from control_plane.services.reference import references, replace
from control_plane.services.service import Service


@dataclass(frozen=True, slots=True)
class Write:
    """One request: a row of a service's table, what the path's parameters are, and who asks.

    `version` and `project` stand before the path, `raw` is the body as the client wrote it and
    `body` the same decoded. All ids are the users'.
    """

    service: Service
    operation: Operation
    method: str
    params: Mapping[str, str]
    query: Sequence[tuple[str, str]] = ()
    raw: bytes | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    project: str = ""
    authority: str = "trio2o"

    @property
    def rest(self) -> str:
        """The path behind version and project, and the query, in the users' words."""
        return f"{filled(self.operation.path, self.params)}{_query(self.query)}"

    @property
    def subject(self) -> str:
        """What it changes: writes for one subject must reach a pod in their order."""
        name, thing = next(iter(self.params.items()), ("", ""))
        resource = self.service.resources.get(self.operation.answer)
        if not thing and resource is not None and self.operation.creates:
            name = resource.name
            paths = (f"{resource.key}.{resource.merge_by}", resource.merge_by)
            thing = next((found for path in paths for found in references(self.body, path)), "")
        return f"{self.service.name}/{name}/{thing}"[:255]

    def to_pod(self, pod: Pod, copies: Copies) -> PodRequest:
        """Say it in a pod's words; Unresolved when the pod has no copy of what it names."""
        params = {
            name: copies.pod_id(name, value, pod.name) if is_mapped(self.service, name) else value
            for name, value in self.params.items()
        }
        raw, query = self.raw, list(self.query)
        body = deepcopy(self.body)
        for ref in self.operation.copies:
            if not is_mapped(self.service, ref.resource):
                continue

            def local(value: str, resource: str = ref.resource) -> str:
                return copies.pod_id(resource, value, pod.name)

            if ref.path.startswith("?"):
                query = [
                    (key, local(value) if key == ref.path[1:] else value) for key, value in query
                ]
            elif replace(body, ref.path, local):
                raw = json.dumps(body).encode()
        return self.request(
            self.method, f"{filled(self.operation.path, params)}{_query(query)}", raw
        )

    def request(self, method: str, rest: str, body: bytes | None = None) -> PodRequest:
        """Make any request to the same service as the same caller."""
        project = f"/{self.project}" if self.project else ""
        version = f"/{self.version}" if self.version else ""
        path = f"{version}{project}{rest}"
        return PodRequest(self.service.name, method, path, self.headers, body, self.authority)


def is_mapped(service: Service, resource: str) -> bool:
    """Whether pods invent the ids of a resource."""
    found = service.resources.get(resource)
    return found is not None and found.mapped


def filled(path: str, params: Mapping[str, str]) -> str:
    """Put parameters into the path of a row."""
    return path.format(**{name: quote(value, safe="") for name, value in params.items()})


def _query(parameters: Sequence[tuple[str, str]]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""
