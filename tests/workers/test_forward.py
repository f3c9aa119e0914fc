"""ext_proc at the address of xDS."""

from collections.abc import AsyncGenerator

import grpc

from control_plane.model.address import Address
from control_plane.processor.streams import Inbox, Streams
from control_plane.workers.forward import SERVICE, Forward


async def test_a_stream_is_carried_to_a_worker_and_back(unused_tcp_port: int) -> None:
    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        async for message in inbox:
            yield message * 2

    streams = Streams(hold)
    await streams.start(Address("127.0.0.1", unused_tcp_port))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Forward([Address("127.0.0.1", unused_tcp_port)]).handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stream = channel.stream_stream(f"/{SERVICE}/Process")()
        answers = []
        for message in (b"one", b"two"):
            await stream.write(message)
            answers.append(await stream.read())
        await stream.done_writing()
        end = await stream.read()
    await server.stop(0)
    await streams.stop(1)

    assert answers == [b"oneone", b"twotwo"]
    assert end is grpc.aio.EOF
