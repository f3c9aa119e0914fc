"""One HTTP exchange as Envoy tells it message by message: headers, perhaps a body, an answer.

Envoy gets exactly one reply a message. A stream that Envoy resets has ended normally.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.decision import Decision, Forward, Reply, Watched
from control_plane.handlers.translate import Translation
from control_plane.model.errors import Refused, unavailable
from control_plane.model.headers import EXPLAIN
from control_plane.model.limits import LARGEST_BODY
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor import messages, wire
from control_plane.processor.exchange import Exchange
from control_plane.processor.packed import is_packed, unpacked
from control_plane.services.operation import Kind

Messages = AsyncIterator[pb.ProcessingRequest]
#: Most replies are written as octets at once.
Replies = AsyncGenerator[pb.ProcessingResponse | bytes, None]

log = structlog.get_logger()

_PACKED = "content-encoding"
#: Kinds whose caller must be known before a body is read for them.
_NEED_CALLER = frozenset({Kind.SCHEDULE, Kind.AGGREGATE, Kind.BROADCAST, Kind.COMPUTED})


@dataclass(slots=True)
class Conversation(Exchange):
    """The state of one exchange that may take several messages."""

    body_read: bool = False

    async def run(self, requests: Messages) -> Replies:
        """Hold the conversation: take Envoy's messages and yield one reply each."""
        first = await anext(aiter(requests), None)
        if first is None:
            return
        self.headers = messages.read_headers(first.request_headers)
        has_body = not first.request_headers.end_of_stream
        try:
            call = await self.opened()
            operation = call.operation
            if operation.kind in _NEED_CALLER and operation.handled:
                await self.cloud.identify(call)
            if has_body and operation.reads_body and operation.handled:
                yield self._ask_for_body(call)
                message = await anext(aiter(requests), None)
                if message is None:
                    return
                self.body_read = True
                call.body = message.request_body.body
                # Of a body that was not measured it may be a part.
                _require_length(len(call.body))
            decision = await self.decide(call)
            lesson = await self._lesson(call, decision)
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer in one place
            decision, lesson = self.refuse(error), ""
        explained = await self.explain(decision)
        if isinstance(decision, Reply):
            self.count(decision.reason, decision.status)
            async for reply in self._answer(decision, explained):
                yield reply
            return
        self.count(decision.reason, HTTPStatus.OK)
        yield self._forward(call, decision, explained, lesson)
        if decision.watch is not None or explained:
            async for reply in self._watch(call, decision, requests, explained):
                yield reply

    async def _lesson(self, call: Call, decision: Decision) -> str:
        """Write what the owner cache is to know, which must rewrite what nobody sees here."""
        if isinstance(decision, Reply):
            return ""
        lesson = await self.lesson(call, decision, seen=decision.home)
        if decision.home and not lesson:
            message = "The list cannot be shown now; try again."
            raise unavailable(message)
        return lesson or ""

    def _ask_for_body(self, call: Call) -> pb.ProcessingResponse:
        """Ask for a body that may be read; raises Refused where it says that it is too large."""
        mode = self._mode_with_body(call)
        if not self._is_measured:
            return messages.ask_for_unmeasured_body(mode)
        _require_length(int(self.headers["content-length"]))
        return messages.ask_for_body(mode)

    @property
    def _is_measured(self) -> bool:
        return self.headers.get("content-length", "").isdecimal()

    def _mode_with_body(self, call: Call) -> pb.ProcessingMode:
        """Choose now whether the answer is wanted: only a reply to headers may choose modes."""
        if call.operation.reads_answer:
            return messages.READ_BODY_AND_ANSWER
        if EXPLAIN in self.headers:
            return messages.READ_BODY_AND_ANSWER_HEADERS
        return messages.READ_BODY

    async def _answer(self, reply: Reply, explained: Mapping[str, str]) -> Replies:
        headers = self.answer_headers(reply, explained)
        facts = messages.metadata(self.facts(reply.reason))
        if isinstance(reply.body, bytes):
            yield messages.answer(self.headers.get(":method"), reply, headers, facts)
            return
        yield messages.stream_headers(reply.status, headers, facts)
        async for chunk in reply.body:
            yield wire.piece(chunk)
        yield wire.END_OF_BODY

    def _forward(
        self, call: Call, forward: Forward, explained: Mapping[str, str], lesson: str
    ) -> pb.ProcessingResponse | bytes:
        put, remove = self.carried(call, forward)
        if forward.watch is not None or forward.home:
            # A compressed answer could not be read.
            remove.append("accept-encoding")
        told = self.facts(forward.reason, forward.pod.name)
        if lesson:
            told["learn"] = lesson
        if self.body_read:
            if forward.body is not None:
                # Envoy refuses a replaced body whose length is not the one the headers tell.
                put["content-length"] = str(len(forward.body))
            mutation = messages.header_mutation(put, remove)
            facts = messages.metadata(told)
            return messages.forward_body(mutation, facts, forward.body, measured=self._is_measured)
        if forward.watch is None and not explained:
            return wire.routed(put, remove, told)
        mode = messages.READ_ANSWER if forward.watch else messages.READ_ANSWER_HEADERS
        mutation = messages.header_mutation(put, remove)
        return messages.forward_headers(mutation, messages.metadata(told), mode)

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
                    await self.see(forward, answer)
                put = {**_location(call, forward, headers), **explained}
                yield messages.pass_headers(messages.header_mutation(put) if put else None)
            elif message.HasField("response_body"):
                yield await self._show(forward, replace(answer, body=message.response_body.body))

    async def _show(self, forward: Forward, answer: Watched) -> pb.ProcessingResponse:
        """Show the body of a pod's answer; one that cannot be read goes no further."""
        encoding = answer.headers.get(_PACKED, "")
        if not is_packed(encoding):
            return messages.pass_body(await self.see(forward, answer))
        body = unpacked(answer.body, encoding)
        if body is None:
            log.warning("answer_packed", request_id=self._request_id(), pod=forward.pod.name)
            message = "The service gave an answer that cannot be read."
            reply = self.refuse(Refused(HTTPStatus.BAD_GATEWAY, message))
            facts = messages.metadata(self.facts(reply.reason, forward.pod.name))
            return messages.answer("GET", reply, self.answer_headers(reply, {}), facts)
        changed = await self.see(forward, replace(answer, body=body))
        return messages.pass_body(body if changed is None else changed, [_PACKED])


def _require_length(length: int) -> None:
    if length > LARGEST_BODY:
        message = "The request body is too large."
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def _location(call: Call, forward: Forward, headers: Mapping[str, str]) -> dict[str, str]:
    """Let a `Location` lead to the gateway."""
    location = headers.get("location")
    if location is None:
        return {}
    translation = Translation(call.view, forward.pod, call.gateway, call.authority)
    return {"location": translation.links(location.encode()).decode()}
