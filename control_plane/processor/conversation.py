"""One HTTP exchange as Envoy tells it: headers, perhaps a body, perhaps the answer.

    request headers ──► match, version ──► (body) ──► handler ──┬─► Reply: answered here
                                                                └─► Forward ──► (the pod's answer)

Envoy gets exactly one reply a message. A stream that Envoy resets has ended normally.
"""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol

import structlog

from control_plane.handlers import HANDLERS, Cloud
from control_plane.handlers.call import Call
from control_plane.handlers.decision import Decision, Forward, Reply, Watched
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.endpoint import cluster_name
from control_plane.model.errors import PodUnreachable, Refused, Unrouted, unavailable
from control_plane.observability.metrics import Metrics
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.pods.registry import View
from control_plane.processor import messages
from control_plane.processor.learn import Teacher
from control_plane.processor.negotiate import (
    Negotiated,
    negotiate,
    require_offered,
    version_headers,
)
from control_plane.services.catalog import Location, locate
from control_plane.services.fault import render, unrouted, unserviced
from control_plane.services.operation import Kind
from control_plane.services.table import VERSIONS, Match, Table

log = structlog.get_logger()

Messages = AsyncIterator[pb.ProcessingRequest]
Replies = AsyncIterator[pb.ProcessingResponse]

#: Kinds whose caller must be known before a body is read for them.
_NEED_CALLER = frozenset({Kind.SCHEDULE, Kind.AGGREGATE, Kind.BROADCAST, Kind.COMPUTED})


class Pods(Protocol):
    """Knows the pods as they are now."""

    @property
    def view(self) -> View:
        """The pods and their facts."""

    def path_prefix(self, pod: str, service: str) -> str | None:
        """Give what stands before the version in a service's paths inside a pod."""


@dataclass(slots=True)
class Conversation:
    """The state of one exchange."""

    registry: Pods
    cloud: Cloud
    tables: Mapping[str, Table]
    metrics: Metrics
    teacher: Teacher
    headers: dict[str, str] = field(default_factory=dict)
    location: Location | None = None
    call: Call | None = None
    negotiated: Negotiated = field(default_factory=Negotiated)
    body_read: bool = False
    started: float = field(default_factory=time.perf_counter)

    async def run(self, requests: Messages) -> Replies:
        """Hold the conversation: take Envoy's messages and yield one reply each."""
        first = await anext(aiter(requests), None)
        if first is None:
            return
        self.headers = messages.read_headers(first.request_headers)
        has_body = not first.request_headers.end_of_stream
        try:
            call = self._open()
            if call.operation.kind in _NEED_CALLER and call.operation.handled:
                await self.cloud.identify(call)
            if has_body and call.operation.reads_body and call.operation.handled:
                yield messages.ask_for_body(self._mode_with_body(call))
                message = await anext(aiter(requests), None)
                if message is None:
                    return
                self.body_read = True
                call.body = message.request_body.body
            decision = await self._decide(call)
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer in one place
            decision = self._refuse(error)
        explained = await self._explain(decision)
        if isinstance(decision, Reply):
            self._count(decision.reason, decision.status)
            async for reply in self._answer(decision, explained):
                yield reply
            return
        self._count(decision.reason, HTTPStatus.OK)
        lesson = await self.teacher.lesson(self.cloud, call, decision, seen=False)
        yield self._forward(call, decision, explained, lesson)
        async for reply in self._watch(call, decision, requests, explained):
            yield reply

    def _open(self) -> Call:
        """Find the row of the table and the version; raises Refused for what is neither."""
        path, _, query = self.headers.get(":path", "/").partition("?")
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

    def _request_id(self) -> str:
        """Give the request an id in OpenStack's form, from Envoy's."""
        return f"req-{self.headers.get('x-request-id', '')}"

    def _mode_with_body(self, call: Call) -> pb.ProcessingMode:
        """Choose now whether the answer is wanted: only a reply to headers may choose modes."""
        if call.operation.reads_answer:
            return messages.READ_BODY_AND_ANSWER
        if "x-trio2o-explain" in self.headers:
            return messages.READ_BODY_AND_ANSWER_HEADERS
        return messages.READ_BODY

    async def _decide(self, call: Call) -> Decision:
        operation = call.operation
        if not operation.handled:
            message = f"{call.method} {operation.path} is not implemented by this gateway yet."
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, message)
        return await HANDLERS[operation.handler](self.cloud, call)

    def _refuse(self, error: Exception) -> Reply:
        """Turn any failure into the answer a client gets."""
        if isinstance(error, PodRefusal):
            headers = dict(error.headers)
            content_type = headers.pop("content-type", "application/json")
            body = self._worded(error)
            return Reply(error.status, body, headers, (), content_type, "pod refused")
        if isinstance(error, PodUnreachable):
            log.warning("pod_unreachable", pod=error.pod, reason=error.reason)
            error = unavailable("A part of the cloud does not answer now.")
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

    async def _explain(self, decision: Decision) -> Mapping[str, str]:
        """Give the headers that tell an administrator who asked which pod it was and why."""
        if self.headers.get("x-trio2o-explain") != "1" or self.call is None:
            return {}
        try:
            caller = await self.cloud.identify(self.call)
        except Refused:
            return {}
        if not caller.is_admin:
            return {}
        pod = {"x-trio2o-pod": decision.pod.name} if isinstance(decision, Forward) else {}
        return {**pod, "x-trio2o-decision": decision.reason}

    def _facts(self, reason: str, pod: str = "") -> Mapping[str, str]:
        """Say what the access log shows of the request."""
        call = self.call
        return {
            "service": self.location.service.name if self.location else "",
            "operation": f"{call.method} {call.operation.path}" if call else "",
            "project": call.project_id if call else "",
            "pod": pod,
            "decision": reason,
        }

    def _count(self, reason: str, status: int) -> None:
        self.metrics.request(
            kind=self.call.operation.kind if self.call else "none",
            service=self.location.service.name if self.location else "none",
            result=reason if status < HTTPStatus.BAD_REQUEST else str(int(status)),
            seconds=time.perf_counter() - self.started,
        )

    async def _answer(self, reply: Reply, explained: Mapping[str, str]) -> Replies:
        headers = {"content-type": reply.content_type, **reply.headers, **explained}
        if self.location is not None:
            for name in self.location.service.request_id_headers:
                headers.setdefault(name, self._request_id())
            version = self.negotiated.version
            headers.update(version_headers(self.location.service, version))
        if reply.missing:
            headers["x-trio2o-missing"] = ",".join(reply.missing)
        facts = messages.metadata(self._facts(reply.reason))
        if isinstance(reply.body, bytes):
            body = b"" if self.headers.get(":method") == "HEAD" else reply.body
            details = "trio2o_" + reply.reason.replace(" ", "_")
            yield messages.immediate(reply.status, headers, body, facts, details)
            return
        yield messages.stream_headers(reply.status, headers, facts)
        async for chunk in reply.body:
            yield messages.stream_chunk(chunk, last=False)
        yield messages.stream_chunk(b"", last=True)

    def _forward(
        self, call: Call, forward: Forward, explained: Mapping[str, str], lesson: str
    ) -> pb.ProcessingResponse:
        prefix = self.registry.path_prefix(forward.pod.name, call.service.name)
        query = f"?{call.query}" if call.query else ""
        path = forward.path or f"{call.pod_path}{query}"
        put = {
            **self.negotiated.put,
            ":path": f"{prefix or ''}{path}",
            "x-trio2o-cluster": cluster_name(forward.pod.name, call.service.name),
        }
        if "x-openstack-request-id" not in self.headers:
            put["x-openstack-request-id"] = call.request_id
        remove = list(self.negotiated.remove)
        remove.append("x-trio2o-explain")
        if forward.watch is not None:
            # A compressed answer could not be read.
            remove.append("accept-encoding")
        mutation = messages.header_mutation(put, remove)
        told = self._facts(forward.reason, forward.pod.name)
        facts = messages.metadata({**told, "learn": lesson} if lesson else told)
        if self.body_read:
            if forward.body is not None:
                # Envoy refuses a replaced body whose length is not the one the headers tell.
                length = {"content-length": str(len(forward.body))}
                mutation.MergeFrom(messages.header_mutation(length))
            return messages.forward_body(mutation, facts, forward.body)
        mode = None
        if forward.watch is not None:
            mode = messages.READ_ANSWER
        elif explained:
            mode = messages.READ_ANSWER_HEADERS
        return messages.forward_headers(mutation, facts, mode)

    async def _watch(
        self, call: Call, forward: Forward, requests: Messages, explained: Mapping[str, str]
    ) -> Replies:
        """Answer what Envoy shows of the pod's answer until it shows no more."""
        answer = Watched(0, {}, b"")
        async for message in requests:
            if message.HasField("response_headers"):
                headers = messages.read_headers(message.response_headers)
                answer = Watched(int(headers.get(":status", "0")), headers, b"")
                if message.response_headers.end_of_stream:
                    await self._see(forward, answer)
                put = {**_location(call, forward, headers), **explained}
                yield messages.pass_headers(messages.header_mutation(put) if put else None)
            elif message.HasField("response_body"):
                whole = replace(answer, body=message.response_body.body)
                yield messages.pass_body(await self._see(forward, whole))

    async def _see(self, forward: Forward, answer: Watched) -> bytes | None:
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


def _location(call: Call, forward: Forward, headers: Mapping[str, str]) -> dict[str, str]:
    """Let a `Location` lead to the gateway."""
    location = headers.get("location")
    if location is None:
        return {}
    translation = Translation(call.view, forward.pod, call.gateway, call.authority)
    return {"location": translation.links(location.encode()).decode()}
