"""The gRPC service Envoy's ext_proc filter calls.

Envoy's routes say in the metadata of a call how much of an exchange has to be seen. Where the
first message is the only one, the call is answered as a unary one: gRPC then sends headers, message
and status in one batch, which is half of what a call costs.
"""

from collections.abc import AsyncIterator, Callable
from types import MappingProxyType
from typing import Any

import grpc

from control_plane.handlers import Cloud
from control_plane.observability.metrics import Metrics
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor.conversation import Conversation
from control_plane.processor.exchange import Pods
from control_plane.processor.first_word import FirstWord
from control_plane.processor.learn import Teacher
from control_plane.services.catalog import SERVICES
from control_plane.services.table import Table

METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
#: The metadata in which Envoy's routes name the lane, and those that take one message.
LANE = "x-trio2o-lane"
ONE_MESSAGE = ("headers", "seen")


class Processor:
    """Starts a conversation for each HTTP exchange."""

    def __init__(self, pods: Pods, cloud: Cloud, metrics: Metrics) -> None:
        """Compile the tables once."""
        self._pods = pods
        self._cloud = cloud
        self._metrics = metrics
        self._teacher = Teacher()
        self._tables = MappingProxyType({entry.name: Table(entry) for entry in SERVICES})

    async def process(
        self, requests: AsyncIterator[pb.ProcessingRequest], _: object
    ) -> AsyncIterator[pb.ProcessingResponse | bytes]:
        """Serve one stream, which is one HTTP exchange."""
        conversation = Conversation(
            self._pods, self._cloud, self._tables, self._metrics, self._teacher
        )
        async for reply in conversation.run(requests):
            yield reply

    async def say(self, lane: str, data: bytes) -> bytes:
        """Serve an exchange that is one message."""
        word = FirstWord(self._pods, self._cloud, self._tables, self._metrics, self._teacher)
        word.lane = lane
        return await word.say(data)

    def handler(self) -> grpc.GenericRpcHandler:
        """Give the handler to add to a gRPC server."""
        return _Lanes(self)


class _Lanes(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of a call by its lane."""

    def __init__(self, processor: Processor) -> None:
        self._stream = grpc.stream_stream_rpc_method_handler(
            processor.process,
            request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=_octets,
        )
        self._words = {
            lane: grpc.unary_unary_rpc_method_handler(_word(processor, lane))
            for lane in ONE_MESSAGE
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Give the handler, None for another method."""
        if handler_call_details.method != METHOD:
            return None
        for key, value in handler_call_details.invocation_metadata:
            if key == LANE:
                return self._words.get(value, self._stream)
        return self._stream


def _word(processor: Processor, lane: str) -> Callable[[bytes, object], Any]:
    async def say(data: bytes, _: object) -> bytes:
        return await processor.say(lane, data)

    return say


def _octets(reply: pb.ProcessingResponse | bytes) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()
