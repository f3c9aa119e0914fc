"""What Envoy's ext_proc filter calls: a gRPC service, and a server for calls of one message.

Envoy's routes choose by the row of a request how much of an exchange has to be seen. Where the
first message is the only one (`first_word.py`), the call goes to a port of its own, whose server
does nothing else (`words.py`).
"""

from collections.abc import AsyncIterator
from types import MappingProxyType

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

SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"


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

    async def say(self, data: bytes) -> bytes:
        """Serve an exchange that is one message."""
        word = FirstWord(self._pods, self._cloud, self._tables, self._metrics, self._teacher)
        return await word.say(data)

    def handler(self) -> grpc.GenericRpcHandler:
        """Give the handler to add to a gRPC server."""
        method = grpc.stream_stream_rpc_method_handler(
            self.process,
            request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=_octets,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Process": method})


def _octets(reply: pb.ProcessingResponse | bytes) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()
