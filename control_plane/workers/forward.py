"""ext_proc at the address of xDS, for what was told to find it there: carried on to a worker.

The Envoys of our own bootstraps ask the workers themselves.
"""

from collections.abc import AsyncIterator, Sequence
from itertools import cycle

import grpc

from control_plane.model.address import AnyAddress

SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
_METHOD = f"/{SERVICE}/Process"
_LIMIT = 64 << 20


class Forward:
    """Gives each stream to the next worker."""

    def __init__(self, workers: Sequence[AnyAddress]) -> None:
        """Take where the workers listen."""
        self._workers = workers
        self._streams: cycle[grpc.aio.StreamStreamMultiCallable] | None = None

    def handler(self) -> grpc.GenericRpcHandler:
        """Give the handler to add to a gRPC server."""
        method = grpc.stream_stream_rpc_method_handler(self._process)
        return grpc.method_handlers_generic_handler(SERVICE, {"Process": method})

    async def _process(self, requests: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
        if self._streams is None:
            options = [
                ("grpc.max_receive_message_length", _LIMIT),
                ("grpc.max_send_message_length", _LIMIT),
            ]
            channels = [
                grpc.aio.insecure_channel(str(worker), options=options) for worker in self._workers
            ]
            self._streams = cycle([channel.stream_stream(_METHOD) for channel in channels])
        stream = next(self._streams)(requests)
        try:
            async for reply in stream:
                yield reply
        finally:
            stream.cancel()
