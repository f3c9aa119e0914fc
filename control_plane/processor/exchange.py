"""One HTTP exchange, however Envoy tells it: its row, its version, its decision, its answer.

request headers ──► match, version ──► handler ──┬─► Reply: answered here
└─► Forward ──► (the pod's answer)
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

import structlog

from control_plane.handlers import HANDLERS, Cloud
from control_plane.handlers.call import Call
from control_plane.handlers.decision import Decision, Forward, Reply, Watched
from control_plane.handlers.own_words import in_own_words
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.endpoint import cluster_name
from control_plane.model.errors import (
    Missing,
    PodUnreachable,
    Refused,
    StoreUnreachable,
    Unreadable,
    Unrouted,
    unavailable,
)
from control_plane.model.headers import CACHE, CLUSTER, EARLY_SEEN, EXPLAIN, SEEN
from control_plane.observability.metrics import Metrics
from control_plane.pods.view import View
from control_plane.processor.learn import Teacher
from control_plane.processor.negotiate import (
    Negotiated,
    negotiate,
    require_offered,
    version_headers,
)
from control_plane.services.catalog import Location, locate, service_named
from control_plane.services.fault import render, unrouted, unserviced
from control_plane.services.table import VERSIONS, Match, Table

log = structlog.get_logger()

_NOTHING = Negotiated()
#: What stays as it is in a path with a query.
_VISIBLE = bytes(range(0x21, 0x7F)).decode()


class Pods(Protocol):
    """Knows the pods as they are now."""

    @property
    def view(self) -> View:
        """The pods and their facts."""

    def path_prefix(self, pod: str, service: str) -> str | None:
        """Give what stands before the version in a service's paths inside a pod."""


@dataclass(slots=True)
class Exchange:
    """The state of one exchange."""

    registry: Pods
    cloud: Cloud
    tables: Mapping[str, Table]
    metrics: Metrics
    teacher: Teacher
    headers: dict[str, str] = field(default_factory=dict)
    location: Location | None = None
    call: Call | None = None
    negotiated: Negotiated = _NOTHING
    started: float = field(default_factory=time.perf_counter)

    async def opened(self) -> Call:
        """Do what `open` does; who asks for what there is not must be known, as to the services."""
        try:
            return self.open()
        except Unrouted:
            await self.cloud.verifier.verify(self.headers.get("x-auth-token", ""))
            raise

    def open(self) -> Call:
        """Find the row of the table and the version; raises Refused for what is neither."""
        entries = self.headers.get(CACHE)
        if entries is not None:
            self.metrics.cached(int(entries))
        path, _, query = self._path().partition("?")
        self.location = location = locate(path)
        method = self.headers.get(":method", "GET")
        view = self.registry.view
        service = location.service
        if service.versions and not location.version:
            # Above the versions every path shows the choices, as the services do: bookmark links
            # of Nova are such paths.
            match = Match(VERSIONS, {})
        else:
            match = self.tables[service.name].match(method, location.rest)
        self.negotiated = negotiate(
            service, location.version, self.headers, view.version_range(service.name)
        )
        require_offered(match.operation, self.negotiated.version)
        headers = {**self.headers, **self.negotiated.put}
        for name in self.negotiated.remove:
            headers.pop(name, None)
        self.call = Call(
            method,
            location,
            match,
            query,
            headers,
            view,
            self._request_id(),
            self.negotiated.version,
        )
        return self.call

    def _path(self) -> str:
        """Give the path as the client wrote it, with its query.

        Where the owner cache knew the pod and the pod is lost, the path is in the pod's words.
        """
        path = self.headers.get(":path", "/")
        if not path.isascii():
            # HTTP/2 lets clients send UTF-8 that nobody has quoted; headers were read as latin-1.
            path = quote(path.encode("latin-1"), safe=_VISIBLE)
        known = self.headers.get(SEEN) or self.headers.get(EARLY_SEEN, "")
        pod, _, name = known.partition("/")
        prefix = self.registry.path_prefix(pod, name) if name else None
        if prefix is None or not path.startswith(f"{prefix}/"):
            return path
        return service_named(name).prefix + path.removeprefix(prefix)

    def _request_id(self) -> str:
        """Give the request an id in OpenStack's form, from Envoy's."""
        return f"req-{self.headers.get('x-request-id', '')}"

    async def decide(self, call: Call) -> Decision:
        """Have the row's handler decide."""
        operation = call.operation
        if not operation.handled:
            message = f"{call.method} {operation.path} is not implemented by this gateway yet."
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, message)
        try:
            return await HANDLERS[operation.handler](self.cloud, call)
        except Unreadable as error:
            raise await in_own_words(self.cloud, call, error) from error

    def refuse(self, error: Exception) -> Reply:
        """Turn any failure into the answer a client gets."""
        if isinstance(error, PodRefusal):
            headers = dict(error.headers)
            content_type = headers.pop("content-type", "application/json")
            body = self._worded(error)
            return Reply(error.status, body, headers, (), content_type, "pod refused")
        error = _for_now(error)
        if not isinstance(error, Refused):
            log.error("request_failed", request_id=self._request_id(), exc_info=error)
            error = Refused(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "Unexpected error in the gateway; the request id names it in the log.",
            )
        accept = self.headers.get("accept", "")
        if self.location is None:
            body, content_type = unserviced(error.status, error.message)
        elif isinstance(error, Unrouted):
            service = self.location.service
            body, content_type = unrouted(service, error.status, error.message, accept)
        else:
            body, content_type = render(
                self.location.service, error.status, error.message, error.headers, accept
            )
        return Reply(error.status, body, error.headers, (), content_type, "refused")

    def _worded(self, refusal: PodRefusal) -> bytes:
        """Say a pod's refusal in the users' words."""
        call = self.call
        if call is None:
            return refusal.body
        return Translation(call.view, refusal.pod, call.gateway, call.authority).fault(refusal.body)

    async def explain(self, decision: Decision) -> Mapping[str, str]:
        """Give the headers that tell an administrator who asked which pod it was and why."""
        if self.headers.get(EXPLAIN) != "1" or self.call is None:
            return {}
        try:
            caller = await self.cloud.identify(self.call)
        except Refused:
            return {}
        if not caller.is_admin:
            return {}
        pod = {"x-trio2o-pod": decision.pod.name} if isinstance(decision, Forward) else {}
        return {**pod, "x-trio2o-decision": decision.reason}

    def facts(self, reason: str, pod: str = "") -> dict[str, str]:
        """Say what the access log shows of the request."""
        call = self.call
        return {
            "service": self.location.service.name if self.location else "",
            "operation": f"{call.method} {call.operation.path}" if call else "",
            "project": call.project_id if call else "",
            "pod": pod,
            "decision": reason,
        }

    def count(self, reason: str, status: int) -> None:
        """Count the decision."""
        self.metrics.request(
            kind=self.call.operation.kind if self.call else "none",
            service=self.location.service.name if self.location else "none",
            result=reason if status < HTTPStatus.BAD_REQUEST else str(int(status)),
            seconds=time.perf_counter() - self.started,
        )

    def answer_headers(self, reply: Reply, explained: Mapping[str, str]) -> dict[str, str]:
        """Write the headers of an answer given here."""
        headers = {"content-type": reply.content_type, **reply.headers, **explained}
        if self.location is not None:
            for name in self.location.service.request_id_headers:
                headers.setdefault(name, self._request_id())
            # keystonemiddleware, which says 401, knows of no versions.
            if self.negotiated.told and reply.status != HTTPStatus.UNAUTHORIZED:
                version = self.negotiated.version
                headers.update(version_headers(self.location.service, version))
        if reply.missing:
            headers["x-trio2o-missing"] = ",".join(reply.missing)
        return headers

    async def lesson(
        self, call: Call, forward: Forward, *, seen: bool, alone: str = ""
    ) -> str | None:
        """Write what the owner cache is to keep; None when that cannot be told now."""
        try:
            return await self.teacher.lesson(self.cloud, call, forward, seen=seen, alone=alone)
        except StoreUnreachable as error:
            log.warning("lesson_not_written", reason=str(error))
            return None
        except Exception:
            # It only saves work: the request goes its way.
            log.exception("lesson_not_written", request_id=self._request_id())
            return None

    def carried(self, call: Call, forward: Forward) -> tuple[dict[str, str], list[str]]:
        """Say which headers a request gets on its way to a pod, and which are taken from it."""
        prefix = self.registry.path_prefix(forward.pod.name, call.service.name)
        query = f"?{call.query}" if call.query else ""
        path = forward.path or f"{call.pod_path}{query}"
        put = {
            **self.negotiated.put,
            ":path": f"{prefix or ''}{path}",
            CLUSTER: cluster_name(forward.pod.name, call.service.name),
        }
        return put, [*self.negotiated.remove, EXPLAIN]

    async def see(self, forward: Forward, answer: Watched) -> bytes | None:
        """Show a pod's answer to who watches for it; None when it goes on as it is.

        The pod has done its work by now, so that no failure here may take the answer from the
        client.
        """
        if forward.watch is None:
            return None
        try:
            return await forward.watch(answer)
        except Exception:
            log.exception("answer_not_seen", request_id=self._request_id(), pod=forward.pod.name)
            return None


def _for_now(error: Exception) -> Exception:
    """Make 503 of what may be over when the client tries again; the log has what it was."""
    match error:
        case PodUnreachable(pod=pod, reason=reason):
            log.warning("pod_unreachable", pod=pod, reason=reason)
            return unavailable("A part of the cloud does not answer now.")
        case Missing():
            # The pod that was chosen has just been taken out.
            log.warning("pod_missing", reason=str(error))
            return unavailable("The cloud has just changed; try again.", retry_after=1)
        case StoreUnreachable():
            log.warning("database_unreachable", reason=str(error))
            return unavailable("The gateway cannot do this now; try again.")
    return error
