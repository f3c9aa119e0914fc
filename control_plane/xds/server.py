"""The ADS server: every connected Envoy gets each published snapshot.

What is sent when is decided by the streams (`stream_sotw`, `stream_delta`), which do no I/O; here
is the gRPC around them. Debouncing is the publisher's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TypeVar

import grpc

from control_plane.pb.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)
from control_plane.xds.nodes import NodeStatus, Observer, Silent
from control_plane.xds.snapshot import Names, Snapshot
from control_plane.xds.stream import Clock, Stream
from control_plane.xds.stream_delta import DeltaStream
from control_plane.xds.stream_sotw import SotwStream

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"

Request = TypeVar("Request", DiscoveryRequest, DeltaDiscoveryRequest)
Response = TypeVar("Response", DiscoveryResponse, DeltaDiscoveryResponse)


def _now() -> datetime:
    return datetime.now(UTC)


class AggregatedDiscovery:
    """Holds the published snapshot and the open streams; use it from one event loop."""

    def __init__(self, observer: Observer | None = None, clock: Clock = _now) -> None:
        """Start with nothing published: nodes that connect wait."""
        self._observer: Observer = observer or Silent()
        self._clock = clock
        self._snapshot: Snapshot | None = None
        #: What hands a snapshot to a stream, by stream.
        self._streams: dict[
            Stream[DiscoveryResponse] | Stream[DeltaDiscoveryResponse],
            Callable[[Snapshot, Names], None],
        ] = {}

    @property
    def snapshot(self) -> Snapshot | None:
        """What is published."""
        return self._snapshot

    def publish(self, snapshot: Snapshot) -> bool:
        """Send a snapshot to every node; False if it is what they have already.

        Raises InconsistentSnapshot, and then sends nothing.
        """
        changed = snapshot.differences(self._snapshot)
        # What is published has been checked.
        snapshot.check(changed if self._snapshot else None)
        if self._snapshot is not None and self._snapshot.versions == snapshot.versions:
            return False
        self._snapshot = snapshot
        for update in list(self._streams.values()):
            update(snapshot, changed)
        return True

    def nodes(self) -> list[NodeStatus]:
        """Tell how far each connected node is, ordered by id."""
        known = [stream.status() for stream in self._streams if stream.node]
        return sorted(known, key=lambda node: (node.id, node.connected_at))

    def handlers(self) -> grpc.GenericRpcHandler:
        """Make what a `grpc.aio` server serves; both variants under their real names."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                    self._sotw,
                    request_deserializer=DiscoveryRequest.FromString,
                    response_serializer=DiscoveryResponse.SerializeToString,
                ),
                "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                    self._delta,
                    request_deserializer=DeltaDiscoveryRequest.FromString,
                    response_serializer=DeltaDiscoveryResponse.SerializeToString,
                ),
            },
        )

    async def _sotw(
        self, requests: AsyncIterator[DiscoveryRequest], _context: object
    ) -> AsyncIterator[DiscoveryResponse]:
        stream = SotwStream(self._observer, self._clock, self._snapshot)
        async with aclosing(self._converse(stream, stream.receive, requests)) as responses:
            async for response in responses:
                yield response

    async def _delta(
        self, requests: AsyncIterator[DeltaDiscoveryRequest], _context: object
    ) -> AsyncIterator[DeltaDiscoveryResponse]:
        stream = DeltaStream(self._observer, self._clock, self._snapshot)
        async with aclosing(self._converse(stream, stream.receive, requests)) as responses:
            async for response in responses:
                yield response

    async def _converse(
        self,
        stream: Stream[Response],
        receive: Callable[[Request], list[Response]],
        requests: AsyncIterator[Request],
    ) -> AsyncGenerator[Response, None]:
        # Bounded by the stream: one response a type waits for its answer.
        outbox: asyncio.Queue[Response | None] = asyncio.Queue()

        def send(responses: list[Response]) -> None:
            for response in responses:
                outbox.put_nowait(response)

        async def read() -> None:
            try:
                async for request in requests:
                    send(receive(request))
            finally:
                outbox.put_nowait(None)

        self._streams[stream] = lambda snapshot, changed: send(stream.update(snapshot, changed))
        reader = asyncio.create_task(read())
        try:
            while (response := await outbox.get()) is not None:
                yield response
            await reader  # raises what ended it, if not the client
        finally:
            del self._streams[stream]
            if stream.node:
                self._observer.disconnected(stream.node)
            reader.cancel()
