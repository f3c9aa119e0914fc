"""The ext_proc server as textbooks write it: asyncio, generated messages, one cluster for all.

python -m tests.bench.textbook_server PORT
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc

from control_plane.pb import ext_proc_pb2 as pb

_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"


async def _process(
    requests: AsyncIterator[pb.ProcessingRequest], _: object
) -> AsyncIterator[pb.ProcessingResponse]:
    async for request in requests:
        assert request.HasField("request_headers")
        yield pb.ProcessingResponse(
            request_headers=pb.HeadersResponse(
                response=pb.CommonResponse(
                    header_mutation=pb.HeaderMutation(
                        set_headers=[
                            pb.HeaderValueOption(
                                header=pb.HeaderValue(key="x-cluster", raw_value=b"pods")
                            )
                        ]
                    ),
                    clear_route_cache=True,
                )
            )
        )


async def _serve(port: int) -> None:
    server = grpc.aio.server()
    method = grpc.stream_stream_rpc_method_handler(
        _process,
        request_deserializer=pb.ProcessingRequest.FromString,
        response_serializer=pb.ProcessingResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(_SERVICE, {"Process": method})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
