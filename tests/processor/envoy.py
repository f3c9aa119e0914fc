"""An Envoy that holds one conversation with the processor, and a cloud of two scripted pods."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from google.protobuf.json_format import MessageToDict
from multidict import CIMultiDict

from control_plane.directory.bindings import Bindings
from control_plane.directory.holders import Holders
from control_plane.directory.lookup import Directory
from control_plane.directory.presence import Presence
from control_plane.directory.rolls import Rolls
from control_plane.handlers import Cloud
from control_plane.handlers.cloud import Tokens
from control_plane.identity.tokens import TokenVerifier
from control_plane.model.binding import Binding
from control_plane.model.caller import Caller
from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import PodUnreachable
from control_plane.model.fleet import Fleet
from control_plane.model.headers import LANE
from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.model.stay import Stay
from control_plane.observability.metrics import Metrics
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.processor.conversation import Conversation
from control_plane.processor.learn import Teacher
from control_plane.processor.server import Processor
from control_plane.replication.broadcast import Broadcast
from control_plane.replication.copies import Copies
from control_plane.services.catalog import SERVICES
from control_plane.services.table import Table
from tests.replication.memory import Listings, MemoryCopies, MemoryIntents

POD1 = Pod("id-1", "Pod1", "az1", "inner1")
POD2 = Pod("id-2", "Pod2", "az2", "inner2")
_VERSIONS = MappingProxyType(
    {
        "compute": MicroversionRange(Microversion(2, 1), Microversion(2, 96)),
        "volume": MicroversionRange(Microversion(3, 0), Microversion(3, 70)),
    }
)
TABLES = MappingProxyType({service.name: Table(service) for service in SERVICES})

#: Answers a request of the control plane to a pod: a status and a JSON body; None: no answer.
Script = Callable[[Pod, PodRequest], tuple[int, Any] | None]


def facts(number: int) -> PodFacts:
    """Say where the services of a pod stand."""
    endpoints = {
        service.name: Endpoint("http", f"10.0.0.{number}", 9000 + index)
        for index, service in enumerate(SERVICES)
    }
    return PodFacts(endpoints, _VERSIONS)


VIEW = View(Fleet.of([POD1, POD2]), {"Pod1": facts(1), "Pod2": facts(2)})


@dataclass
class Registry:
    """The view, and no path before the version in any pod."""

    view: View = VIEW

    def path_prefix(self, pod: str, service: str) -> str | None:
        endpoint = self.view.endpoint(pod, service)
        return endpoint.path if endpoint else None


@dataclass
class Pods:
    """Pods that answer by a script and remember what they were asked."""

    script: Script
    asked: list[tuple[str, PodRequest]] = field(default_factory=list)

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        self.asked.append((pod.name, request))
        answer = self.script(pod, request)
        if answer is None:
            raise PodUnreachable(pod.name, "gone")
        status, body = answer
        headers = CIMultiDict({"content-type": "application/json"})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return PodAnswer(pod, status, headers, raw)

    async def ask_all(
        self, pods: Iterable[Pod], request: PodRequest
    ) -> tuple[list[PodAnswer], list[PodUnreachable]]:
        answers: list[PodAnswer] = []
        missing: list[PodUnreachable] = []
        for pod in pods:
            try:
                answers.append(await self.ask(pod, request))
            except PodUnreachable as error:
                missing.append(error)
        return answers, missing


class Store:
    """Owners and bindings in dictionaries."""

    def __init__(self) -> None:
        self.rows: dict[str, Owner] = {}
        self.bound: list[Binding] = []
        self.deleted: set[str] = set()
        #: Since when projects may have things in pods, by project and the pod's id.
        self.present: dict[str, dict[str, Stay]] = {}
        #: The ids in the pods by resource, pod and the users' id.
        self.kept: dict[tuple[str, str, str], str] = {}
        #: What pods last said of themselves.
        self.said: dict[str, dict[str, object]] = {}

    async def facts(self, pod: str) -> dict[str, object]:
        return self.said.get(pod, {})

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        self.said.setdefault(pod, {})[key] = value

    async def enter(self, project_id: str, pod_id: str) -> None:
        await self.note(project_id, pod_id)
        stays = self.present[project_id]
        stays[pod_id] = replace(stays[pod_id], entered=datetime.now(UTC))

    async def note(self, project_id: str, pod_id: str) -> None:
        now = datetime.now(UTC)
        self.present.setdefault(project_id, {}).setdefault(pod_id, Stay(now, now))

    async def leave(self, project_id: str, pod_id: str, stay: Stay) -> None:
        if self.present[project_id].get(pod_id) == stay:
            del self.present[project_id][pod_id]

    async def presence(self, project_id: str) -> dict[str, Stay]:
        return dict(self.present.get(project_id, {}))

    async def owner(self, id: str) -> Owner | None:  # noqa: A002
        return self.rows.get(id)

    async def standing(self, id: str) -> Owner | None:  # noqa: A002
        return None if id in self.deleted else self.rows.get(id)

    def pods_now(self, ids: object) -> None:
        """Must be waited for."""

    async def pods_of(self, ids: Iterable[str]) -> dict[str, str]:
        return {entry: self.rows[entry].pod for entry in ids if entry in self.rows}

    async def placed(
        self,
        resource: str,
        pod: str,
        project_id: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Owner]:
        found = [
            row
            for row in self.rows.values()
            if (row.resource, row.pod) == (resource, pod)
            and project_id in (None, row.project_id)
            and (since is None or (row.created_at and row.created_at > since))
        ]
        found.sort(key=lambda row: (row.created_at or datetime.min.replace(tzinfo=UTC), row.id))
        return found[:limit]

    async def record(self, owners: Iterable[Owner]) -> None:
        self.rows.update({owner.id: owner for owner in owners})

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        return [
            entry
            for entry in self.bound
            if project_id in (None, entry.project_id) and pod_id in (None, entry.pod_id)
        ]

    async def bind(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        for entry in self.bound:
            if (entry.project_id, entry.availability_zone) == (project_id, availability_zone):
                return entry
        now = datetime.now(UTC)
        entry = Binding(str(len(self.bound)), project_id, availability_zone, pod_id, now)
        self.bound.append(entry)
        return entry

    async def mark_deleted(self, id: str) -> None:  # noqa: A002
        self.deleted.add(id)

    async def give(self, id: str, project_id: str) -> None:  # noqa: A002
        self.rows[id] = replace(self.rows[id], project_id=project_id)

    async def has_shadows(self, resource: str, pod: str) -> bool:
        return any(key[:2] == (resource, pod) for key in self.kept)

    async def shadows(self, resource: str, user_id: str, pods: Iterable[str]) -> dict[str, str]:
        keys = {pod: (resource, pod, user_id) for pod in pods}
        return {pod: self.kept[key] for pod, key in keys.items() if key in self.kept}

    async def shadowed(self, resource: str, pod: str, pod_ids: Iterable[str]) -> dict[str, str]:
        users = {held: key[2] for key, held in self.kept.items() if key[:2] == (resource, pod)}
        return {pod_id: users[pod_id] for pod_id in pod_ids if pod_id in users}

    async def keep_shadow(self, resource: str, user_id: str, pod: str, pod_id: str) -> str:
        return self.kept.setdefault((resource, pod, user_id), pod_id)

    async def forget_shadow(self, resource: str, pod: str, pod_id: str) -> None:
        held = {key for key, kept in self.kept.items() if kept == pod_id}
        for key in held:
            if key[:2] == (resource, pod):
                del self.kept[key]

    async def rebind(self, binding: Binding, pod_id: str) -> Binding:
        self.bound.remove(binding)
        return await self.bind(binding.project_id, binding.availability_zone, pod_id)


class Keystone:
    """Knows the tokens `user` and `admin`, and those a test adds."""

    auth_url = "http://keystone:5000/v3"

    def __init__(self) -> None:
        self.tokens = {"user": {"member"}, "admin": {"admin"}}
        self.projects: dict[str, str] = {}

    async def validate(self, token: str) -> Caller | None:
        roles = self.tokens.get(token)
        project = self.projects.get(token, "a1b2")
        return Caller(token, project, frozenset(roles), token, 4e9) if roles else None


class OwnToken:
    """Gives the gateway's own token."""

    async def token(self) -> str:
        return "own"


@dataclass
class Said:
    """What the processor said, and the messages it was said with."""

    replies: list[pb.ProcessingResponse]

    @property
    def last(self) -> pb.ProcessingResponse:
        return self.replies[-1]

    @property
    def routed(self) -> Mapping[str, str]:
        """The headers a Forward sets."""
        for reply in self.replies:
            for phase in ("request_headers", "request_body"):
                if reply.HasField(phase):
                    changed = getattr(reply, phase).response.header_mutation.set_headers
                    if changed:
                        return {h.header.key: h.header.raw_value.decode() for h in changed}
        return {}

    @property
    def cluster(self) -> str:
        return self.routed.get("x-trio2o-cluster", "")

    @property
    def sent(self) -> Any:
        """The body that a pod gets in place of the client's; None when it gets the client's."""
        for reply in self.replies:
            response = reply.request_body.response
            if response.HasField("body_mutation"):
                return json.loads(response.body_mutation.body)
        return None

    @property
    def shown(self) -> Any:
        """The body that the client gets in place of the pod's; None when it gets the pod's."""
        for reply in self.replies:
            response = reply.response_body.response
            if response.HasField("body_mutation"):
                return json.loads(response.body_mutation.body)
        return None

    @property
    def streamed(self) -> list[pb.StreamedImmediateResponse]:
        """An answer in pieces."""
        field = "streamed_immediate_response"
        return [getattr(reply, field) for reply in self.replies if reply.HasField(field)]

    @property
    def status(self) -> int:
        if self.streamed:
            [status] = self.streamed[0].headers_response.headers.headers[:1]
            return int(status.raw_value)
        return self.last.immediate_response.status.code

    @property
    def headers(self) -> Mapping[str, str]:
        if self.streamed:
            fields = self.streamed[0].headers_response.headers.headers
            return {field.key: field.raw_value.decode() for field in fields}
        changed = self.last.immediate_response.headers.set_headers
        return {h.header.key: h.header.raw_value.decode() for h in changed}

    @property
    def json(self) -> Any:
        pieces = [piece.body_response.body for piece in self.streamed]
        return json.loads(b"".join(pieces) or self.last.immediate_response.body)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the access log is told."""
        return MessageToDict(self.last.dynamic_metadata).get("trio2o", {})


class Envoy:
    """Holds conversations over one set of pods."""

    def __init__(
        self, script: Script | None = None, view: View = VIEW, tokens: Tokens | None = None
    ) -> None:
        self.pods = Pods(script or (lambda _pod, _request: (404, {})))
        self.store = Store()
        self.metrics = Metrics()
        copies = Copies(MemoryCopies(), Listings())
        self.registry = Registry(replace(view, names=copies))
        self.keystone = Keystone()
        #: How long requests were held back.
        self.slept: list[float] = []
        directory = Directory(self.store, self.pods, self.metrics)
        self.cloud = Cloud(
            directory,
            Holders(directory),
            self.pods,
            Bindings(self.store),
            TokenVerifier(self.keystone),
            copies,
            Broadcast(self.pods, copies, MemoryIntents()),
            Presence(self.store, self._sleep),
            tokens,
            rolls=Rolls(self.store, self.pods, OwnToken(), SERVICES),
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def word(
        self, lane: str, method: str, path: str, token: str = "user", **headers: str
    ) -> Said:
        """Send a request on a lane where the processor's first word is its last."""
        processor = Processor(self.registry, self.cloud, self.metrics)
        fields = {**_fields(method, path, token, headers), LANE: lane}
        request = pb.ProcessingRequest(request_headers=_headers(fields, end=True))
        reply = await processor.say(request.SerializeToString())
        return Said([_read(reply)])

    async def exchange(
        self,
        method: str,
        path: str,
        body: object = None,
        answer: tuple[int, object] | None = None,
        token: str = "user",
        location: str = "",
        **headers: str,
    ) -> Said:
        """Send a request and, when it is forwarded and the processor asks, the pod's answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        if raw and "transfer_encoding" not in headers:
            headers.setdefault("content_length", str(len(raw)))
        fields = _fields(method, path, token, headers)
        said = Said([])

        async def messages() -> AsyncIterator[pb.ProcessingRequest]:
            head = _headers(fields, end=not raw)
            yield pb.ProcessingRequest(request_headers=head)
            mode = said.last.mode_override
            if mode.request_body_mode != pb.ProcessingMode.NONE and raw:
                yield pb.ProcessingRequest(request_body=pb.HttpBody(body=raw, end_of_stream=True))
            if answer is None or mode.response_header_mode != pb.ProcessingMode.SEND:
                return
            status, content = answer
            data = json.dumps(content).encode() if content is not None else b""
            told = {":status": str(status), **({"location": location} if location else {})}
            yield pb.ProcessingRequest(response_headers=_headers(told, end=not data))
            if data and mode.response_body_mode == pb.ProcessingMode.BUFFERED:
                yield pb.ProcessingRequest(response_body=pb.HttpBody(body=data, end_of_stream=True))

        conversation = Conversation(self.registry, self.cloud, TABLES, self.metrics, Teacher())
        async for reply in conversation.run(messages()):
            said.replies.append(_read(reply))
        return said


def _fields(method: str, path: str, token: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    return {
        ":method": method,
        ":path": path,
        ":scheme": "http",
        ":authority": "gateway:8080",
        "x-request-id": "11111111-1111-4111-8111-111111111111",
        "x-auth-token": token,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


def _read(reply: pb.ProcessingResponse | bytes) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(reply) if isinstance(reply, bytes) else reply


def _headers(fields: Mapping[str, str], *, end: bool) -> pb.HttpHeaders:
    return pb.HttpHeaders(
        headers=pb.HeaderMap(
            headers=[
                pb.HeaderValue(key=name, raw_value=value.encode()) for name, value in fields.items()
            ]
        ),
        end_of_stream=end,
    )
