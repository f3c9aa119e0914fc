"""One HTTP exchange whose request has no body and in whose answer nothing is to be seen.

The processor's first word is its last: one message in, one out.
Envoy's routes choose such requests by the rows of the tables (`services/lane.py`). Should one need
more after all, the processor asks the pod itself and gives the answer.
"""

from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.decision import Decision, Forward, Reply, Watched
from control_plane.model.errors import StoreUnreachable, unavailable
from control_plane.model.headers import LANE
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor import messages, wire
from control_plane.processor.exchange import Exchange
from control_plane.processor.learn import is_alone
from control_plane.services.lane import Lane, lane, needs_processor_from

log = structlog.get_logger()

#: The owner cache puts the answers of these into the users' words.
SEEN = "seen"
_LANES = {SEEN: Lane.SEEN, "headers": Lane.PASS}
#: Headers of a pod's answer that speak of its body as it was sent, or of the connection.
_OWN = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
    }
)


#: By a row's identity, since rows live as long as the process, and method.
_kinds: dict[tuple[int, str], Lane] = {}


def _kind(call: Call) -> Lane:
    """Say what has to be seen of a request, working a row out once."""
    key = (id(call.operation), call.method)
    found = _kinds.get(key)
    if found is None:
        found = _kinds[key] = lane(call.service, call.operation, call.method)
    return found


@dataclass(slots=True)
class FirstWord(Exchange):
    """The state of one exchange that takes one message."""

    lane: str = field(default="", init=False)

    async def say(self, data: bytes) -> bytes:
        """Decide on a ProcessingRequest and write the ProcessingResponse."""
        first = pb.ProcessingRequest.FromString(data)
        self.headers = messages.read_headers(first.request_headers)
        self.lane = self.headers.get(LANE, "")
        try:
            call = await self.opened()
            decision = await self.decide(call)
            if isinstance(decision, Forward):
                lesson = await self._lesson(call, decision)
                if lesson is not None:
                    return self._forward(call, decision, lesson)
                decision = await self._ask(call, decision)
            decision = await _whole(decision)
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer in one place
            decision = self.refuse(error)
        return self._answer(decision)

    async def _lesson(self, call: Call, forward: Forward) -> str | None:
        """Write what the owner cache is to know; None when the answer has to be seen here."""
        kind = _kind(call)
        if kind is not _LANES.get(self.lane) or forward.body is not None:
            return None
        if kind is Lane.PASS:
            return await self.lesson(call, forward, seen=False) or ""
        resource, alone = call.service.resources.get(call.operation.answer), ""
        if resource is not None:
            since = needs_processor_from(resource)
            if since is not None and call.version is not None and call.version >= since:
                return None
            try:
                if not await is_alone(self.cloud, call.service, resource.name, forward.pod):
                    return None
            except StoreUnreachable:
                return None
            alone = resource.name
        return await self.lesson(call, forward, seen=True, alone=alone)

    def _forward(self, call: Call, forward: Forward, lesson: str) -> bytes:
        put, remove = self.carried(call, forward)
        if self.lane == SEEN:
            # A compressed answer could not be read.
            remove.append("accept-encoding")
        self.count(forward.reason, HTTPStatus.OK)
        told = self.facts(forward.reason, forward.pod.name)
        if lesson:
            told["learn"] = lesson
        return wire.routed(put, remove, told)

    async def _ask(self, call: Call, forward: Forward) -> Reply:
        """Ask the pod in Envoy's stead, for an answer that has to be seen."""
        self.metrics.strayed(call.service.name)
        log.warning("lane_mismatch", lane=self.lane, method=call.method, path=call.operation.path)
        if call.method not in ("GET", "HEAD"):
            # Its body, if it has one, is not here.
            message = "The request took a way that it cannot go; try again."
            raise unavailable(message)
        request = call.to_pods(path=forward.path, query="" if forward.path else call.query)
        answer = await self.cloud.pods.ask(forward.pod, request)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        changed = await self.see(forward, Watched(answer.status, headers, answer.body))
        content_type = headers.get("content-type", "application/json")
        kept = {name: value for name, value in headers.items() if name not in _OWN}
        body = answer.body if changed is None else changed
        return Reply(answer.status, body, kept, (), content_type, "asked")

    def _answer(self, decision: Reply) -> bytes:
        self.count(decision.reason, decision.status)
        headers = self.answer_headers(decision, {})
        facts = messages.metadata(self.facts(decision.reason))
        reply = messages.answer(self.headers.get(":method"), decision, headers, facts)
        return reply.SerializeToString()


async def _whole(decision: Decision) -> Reply:
    """Wait for all of an answer that would be streamed."""
    assert isinstance(decision, Reply)  # noqa: S101  # what is forwarded has gone by now
    if isinstance(decision.body, bytes):
        return decision
    body = b"".join([chunk async for chunk in decision.body])
    return Reply(
        decision.status,
        body,
        decision.headers,
        decision.missing,
        decision.content_type,
        decision.reason,
    )
