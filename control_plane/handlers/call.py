"""One request as handlers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from control_plane.model.caller import Caller
from control_plane.model.errors import NOT_JSON, Refused, unavailable
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from control_plane.pods.view import View
from control_plane.services.catalog import Location
from control_plane.services.operation import Operation
from control_plane.services.service import Service
from control_plane.services.table import Match

#: Headers of the client that also go with the control plane's own calls to pods.
_CARRIED = (
    "x-auth-token",
    "x-service-token",
    "x-openstack-request-id",
    "openstack-api-version",
    "x-openstack-nova-api-version",
    "accept",
    "content-type",
    # Whether tags of metadata definitions are added to those there are.
    "x-openstack-append",
    "user-agent",
)


@dataclass(slots=True)
class Call:
    """A request with everything known of it before a handler runs.

    `path` is what follows the service's prefix, version and project segment included, and
    `query` the raw text behind `?`. `version` is the negotiated microversion, None where the
    service has none. `caller` is set where the operation needs to know who asks.
    """

    method: str
    location: Location
    match: Match
    query: str
    headers: Mapping[str, str]
    view: View
    request_id: str
    version: Microversion | None = None
    caller: Caller | None = None
    body: bytes = b""
    _json: Any = field(default=None, repr=False)

    @property
    def service(self) -> Service:
        """The service the request is for."""
        return self.location.service

    @property
    def operation(self) -> Operation:
        """The row of the table."""
        return self.match.operation

    @property
    def authority(self) -> str:
        """The gateway's host and port as the client wrote them."""
        return self.headers.get(":authority", "trio2o")

    @property
    def gateway(self) -> str:
        """The gateway's own URL as the client sees it, without a trailing slash."""
        scheme = self.headers.get("x-forwarded-proto") or self.headers.get(":scheme", "http")
        return f"{scheme}://{self.authority}"

    @property
    def token(self) -> str:
        """The caller's token, possibly empty."""
        return self.headers.get("x-auth-token", "")

    @property
    def project_id(self) -> str:
        """The caller's project, empty where it is not known."""
        return self.caller.project_id if self.caller else ""

    @property
    def pod_path(self) -> str:
        """The path as a pod's service takes it: version, project segment, rest."""
        return self.versioned(self.location.rest)

    def versioned(self, rest: str) -> str:
        """Put the version before a path."""
        version = self.location.version
        return f"/{version}{rest}" if version else rest

    def sibling(self, rest: str) -> str:
        """Make the path of another operation of the same service, for the same caller.

        It has a project segment where the client's own path has one: pods put it into the links of
        their answers, too.
        """
        project = self.match.project
        return self.versioned(f"/{project}{rest}" if project else rest)

    def with_parameters(self, parameters: Mapping[str, str]) -> str:
        """Make the request's own path with other values for what the path names."""
        named = {**self.match.params, **parameters}
        rest = "".join(
            f"/{quote(named[part[1:-1]], safe='')}" if part.startswith("{") else f"/{part}"
            for part in self.operation.path.removeprefix("/").split("/")
        )
        return self.versioned(f"/{self.match.project}{rest}" if self.match.project else rest)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters in order, repeated ones too."""
        return parse_qsl(self.query, keep_blank_values=True)

    def parameter(self, name: str) -> str | None:
        """Find the first value of one query parameter."""
        return next((value for key, value in self.parameters if key == name), None)

    @property
    def carried(self) -> dict[str, str]:
        """The headers for the control plane's own calls to pods on the caller's behalf."""
        found = {name: self.headers[name] for name in _CARRIED if name in self.headers}
        found.setdefault("x-openstack-request-id", self.request_id)
        return found

    @property
    def json(self) -> Any:  # a body of any shape
        """The body decoded; Refused(400) when it is no JSON, 415 where its type is looked at."""
        if self._json is None:
            try:
                self._json = msgspec.json.decode(self.body)
            except NOT_JSON as error:
                media = self.headers.get("content-type", "json").partition(";")[0].strip()
                taken = self.service.media
                if taken is not None and "json" not in media and media not in taken:
                    message = "Unsupported Content-Type"
                    raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message) from error
                raise Refused(HTTPStatus.BAD_REQUEST, self.service.malformed) from error
        return self._json

    @property
    def able_pods(self) -> tuple[Pod, ...]:
        """The pods that have the service, those that answered last time first."""
        pods = self.view.with_service(self.service.name)
        return tuple(sorted(pods, key=lambda pod: not self.view.reachable(pod.name)))

    def any_pod(self) -> Pod:
        """Pick a pod that has the service; Refused(503) when there is none."""
        pods = self.able_pods
        if not pods:
            message = "No part of the cloud offers this service now."
            raise unavailable(message)
        return pods[0]

    def to_pods(self, method: str | None = None, path: str = "", query: str = "") -> PodRequest:
        """Make a request to pods on behalf of the caller; by default the client's own."""
        target = path or self.pod_path
        return PodRequest(
            self.service.name,
            method or self.method,
            f"{target}?{query}" if query else target,
            self.carried,
            self.body or None,
            self.authority,
        )
