"""The gRPC service Envoy's ext_proc filter calls."""

from collections.abc import AsyncIterator
from types import MappingProxyType

import grpc

from control_plane.handlers import Cloud
from control_plane.observability.metrics import Metrics
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor.conversation import Conversation, Pods
from control_plane.processor.learn import Teacher
from control_plane.services.catalog import SERVICES
from control_plane.services.table import Table

SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"


class Processor:
    """Starts a conversation for each HTTP exchange."""

    def __init__(self, registry: Pods, cloud: Cloud, metrics: Metrics) -> None:
        """Compile the tables once."""
        self._registry = registry
        self._cloud = cloud
        self._metrics = metrics
        self._teacher = Teacher()
        self._tables = MappingProxyType({entry.name: Table(entry) for entry in SERVICES})

    async def process(
        self, requests: AsyncIterator[pb.ProcessingRequest], _: object
    ) -> AsyncIterator[pb.ProcessingResponse]:
        """Serve one stream, which is one HTTP exchange."""
        conversation = Conversation(
            self._registry, self._cloud, self._tables, self._metrics, self._teacher
        )
        async for reply in conversation.run(requests):
            yield reply

    def handler(self) -> grpc.GenericRpcHandler:
        """Give the handler to add to a gRPC server."""
        method = grpc.stream_stream_rpc_method_handler(
            self.process,
            request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=pb.ProcessingResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Process": method})
