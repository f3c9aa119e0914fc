"""The server for conversations, asked by grpcio's own client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
import structlog

from control_plane.model.address import Address
from control_plane.processor.streams import Hold, Inbox, Streams

METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
#: More than the windows of a stream and of the connection.
LARGE = 3_000_000


@asynccontextmanager
async def serving(hold: Hold, port: int) -> AsyncIterator[tuple[Streams, grpc.aio.Channel]]:
    streams = Streams(hold)
    await streams.start(Address("127.0.0.1", port))
    options = [("grpc.max_receive_message_length", 2 * LARGE)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield streams, channel
    await streams.stop(1)


async def echo(inbox: Inbox) -> AsyncGenerator[bytes, None]:
    async for message in inbox:
        yield message


async def test_a_conversation_goes_to_and_fro(unused_tcp_port: int) -> None:
    async with serving(echo, unused_tcp_port) as (streams, channel):
        stream = channel.stream_stream(METHOD)()
        answers = []
        for size in (1, 20_000, 1, 1_500_000, 7):
            await stream.write(bytes(range(256)) * (size // 256) + b"x")
            answers.append(len(await stream.read()))
        await stream.done_writing()
        end = await stream.read()
        code = await stream.code()
        left = [connection.tasks for connection in streams.connections]

    assert answers == [size // 256 * 256 + 1 for size in (1, 20_000, 1, 1_500_000, 7)]
    assert (end, code) == (grpc.aio.EOF, grpc.StatusCode.OK)
    assert left == [{}]


async def test_the_server_may_end_a_conversation(unused_tcp_port: int) -> None:
    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        yield b"you said " + await anext(inbox)

    async with serving(hold, unused_tcp_port) as (_, channel):
        stream = channel.stream_stream(METHOD)()
        await stream.write(b"one")
        answers = [await stream.read(), await stream.read()]
        code = await stream.code()

    assert answers == [b"you said one", grpc.aio.EOF]
    assert code is grpc.StatusCode.OK


async def test_what_nobody_reads_is_not_made(unused_tcp_port: int) -> None:
    made = 0

    async def hold(_: Inbox) -> AsyncGenerator[bytes, None]:
        nonlocal made
        for _ in range(200):
            made += 1
            yield bytes(LARGE // 10)

    async with serving(hold, unused_tcp_port) as (_, channel):
        stream = channel.stream_stream(METHOD)()
        await stream.write(b"x")
        await stream.read()
        await asyncio.sleep(0.5)
        before = made
        pieces = 1
        while await stream.read() is not grpc.aio.EOF:
            pieces += 1

    assert before < 150
    assert (made, pieces) == (200, 200)


async def test_a_slow_reader_holds_up_no_other(unused_tcp_port: int) -> None:
    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        wanted = await anext(inbox)
        for _ in range(40 if wanted == b"much" else 1):
            yield bytes(LARGE // 10)

    async with serving(hold, unused_tcp_port) as (_, channel):
        slow = channel.stream_stream(METHOD)()
        await slow.write(b"much")
        await slow.read()
        async with asyncio.timeout(20):
            for _ in range(20):
                quick = channel.stream_stream(METHOD)()
                await quick.write(b"little")
                assert len(await quick.read()) == LARGE // 10
        pieces = 1
        while await slow.read() is not grpc.aio.EOF:
            pieces += 1

    assert pieces == 40


async def test_many_conversations_get_each_its_own_answers(unused_tcp_port: int) -> None:
    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        async for message in inbox:
            await asyncio.sleep(int(message) % 5 / 1000)
            yield message * 2

    async def converse(channel: grpc.aio.Channel, number: int) -> list[bytes]:
        stream = channel.stream_stream(METHOD)()
        found = []
        for step in range(3):
            await stream.write(str(number * 10 + step).encode())
            found.append(await stream.read())
        await stream.done_writing()
        return found

    async with serving(hold, unused_tcp_port) as (_, channel):
        answers = await asyncio.gather(*(converse(channel, number) for number in range(200)))

    assert answers == [
        [str(number * 10 + step).encode() * 2 for step in range(3)] for number in range(200)
    ]


async def test_a_reset_ends_what_works_for_it(unused_tcp_port: int) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hold(_: Inbox) -> AsyncGenerator[bytes, None]:
        begun.set()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            ended.set()

    async with serving(hold, unused_tcp_port) as (_, channel):
        stream = channel.stream_stream(METHOD)()
        await stream.write(b"x")
        await begun.wait()
        stream.cancel()

        async with asyncio.timeout(10):
            await ended.wait()


async def test_a_failure_ends_its_stream_alone(unused_tcp_port: int) -> None:
    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        message = await anext(inbox)
        if message == b"bad":
            raise ValueError
        yield message

    with structlog.testing.capture_logs() as logs:
        async with serving(hold, unused_tcp_port) as (_, channel):
            bad = channel.stream_stream(METHOD)()
            await bad.write(b"bad")
            with pytest.raises(grpc.aio.AioRpcError) as fault:
                await bad.read()
            good = channel.stream_stream(METHOD)()
            await good.write(b"good")
            answer = await good.read()

    assert fault.value.code() is grpc.StatusCode.INTERNAL
    assert answer == b"good"
    assert [entry["event"] for entry in logs] == ["conversation_failed"]


async def test_health_is_told(unused_tcp_port: int) -> None:
    async with serving(echo, unused_tcp_port) as (streams, channel):
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        before = await check(b"", timeout=10)
        streams.serving = False
        after = await check(b"", timeout=10)

    assert (before, after) == (b"\x08\x01", b"\x08\x02")
