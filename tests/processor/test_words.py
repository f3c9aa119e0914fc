"""The server for calls of one message, asked by grpcio's own client."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from control_plane.model.address import Address, SocketPath
from control_plane.processor import frames
from control_plane.processor.words import Say, Words

METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
#: More than a window of the connection and than grpcio's first one of a stream.
LARGE = 5_000_000


@asynccontextmanager
async def serving(say: Say, port: int) -> AsyncIterator[tuple[Words, grpc.aio.Channel]]:
    words = Words(say)
    await words.start(Address("127.0.0.1", port))
    options = [("grpc.max_receive_message_length", 2 * LARGE)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield words, channel
    await words.stop(1)


async def echo(message: bytes) -> bytes:
    return message


def call(channel: grpc.aio.Channel, message: bytes) -> grpc.aio.UnaryUnaryCall:
    return channel.unary_unary(METHOD)(message, timeout=30)


@pytest.mark.parametrize("size", [1, 100, 16_384, 16_385, 70_000, 900_000])
async def test_messages_go_both_ways_whatever_their_size(size: int, unused_tcp_port: int) -> None:
    message = bytes(range(256)) * (size // 256 + 1)
    async with serving(echo, unused_tcp_port) as (_, channel):
        answer = await call(channel, message[:size])

    assert answer == message[:size]


async def test_a_socket_takes_the_place_of_one_whose_process_died(tmp_path: Path) -> None:
    address = SocketPath(str(tmp_path / "words.sock"))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(address.path)
    words = Words(echo)

    await words.start(address)
    async with grpc.aio.insecure_channel(str(address)) as channel:
        answer = await call(channel, b"hello")
    await words.stop(1)

    assert answer == b"hello"
    assert (tmp_path / "words.sock").stat().st_mode & 0o777 == 0o660


async def test_large_answers_wait_for_room_and_hold_up_no_other(unused_tcp_port: int) -> None:
    async def say(message: bytes) -> bytes:
        return message * LARGE if message == b"l" else message

    async with serving(say, unused_tcp_port) as (_, channel):
        answers = await asyncio.gather(*(call(channel, text) for text in (b"l", b"s", b"l", b"s")))

    assert [len(answer) for answer in answers] == [LARGE, 1, LARGE, 1]


async def test_many_calls_at_once_get_each_its_own_answer(unused_tcp_port: int) -> None:
    async def say(message: bytes) -> bytes:
        await asyncio.sleep(int(message) % 7 / 1000)
        return message

    async with serving(say, unused_tcp_port) as (words, channel):
        asked = [str(number).encode() for number in range(500)]
        answers = await asyncio.gather(*(call(channel, text) for text in asked))
        left = [connection.tasks for connection in words.connections]

    assert answers == asked
    assert left == [{}]


async def test_a_stream_may_stay_open_behind_the_message(unused_tcp_port: int) -> None:
    async with serving(echo, unused_tcp_port) as (_, channel):
        stream = channel.stream_stream(METHOD)()
        await stream.write(b"headers")
        answer = await stream.read()
        code = await stream.code()

    assert (answer, code) == (b"headers", grpc.StatusCode.OK)


async def test_work_for_a_call_that_is_reset_is_cancelled(unused_tcp_port: int) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def say(_: bytes) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    async with serving(say, unused_tcp_port) as (_, channel):
        waiting = call(channel, b"x")
        await begun.wait()
        waiting.cancel()

        async with asyncio.timeout(10):
            await ended.wait()


async def test_a_failure_ends_its_call_alone(unused_tcp_port: int) -> None:
    async def say(message: bytes) -> bytes:
        if message == b"bad":
            raise ValueError
        return message

    with structlog.testing.capture_logs() as logs:
        async with serving(say, unused_tcp_port) as (_, channel):
            with pytest.raises(grpc.aio.AioRpcError) as fault:
                await call(channel, b"bad")
            answer = await call(channel, b"good")

    assert fault.value.code() is grpc.StatusCode.INTERNAL
    assert answer == b"good"
    assert [entry["event"] for entry in logs] == ["word_failed"]


async def test_health_is_told_without_asking_the_processor(unused_tcp_port: int) -> None:
    async def say(_: bytes) -> bytes:
        raise AssertionError("nobody asked")

    async with serving(say, unused_tcp_port) as (words, channel):
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        before = await check(b"", timeout=10)
        words.serving = False
        after = await check(b"", timeout=10)

    assert (before, after) == (b"\x08\x01", b"\x08\x02")


async def test_calls_under_way_end_before_the_server(unused_tcp_port: int) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def say(message: bytes) -> bytes:
        begun.set()
        await go_on.wait()
        return message

    async with serving(say, unused_tcp_port) as (words, channel):
        waiting = asyncio.ensure_future(call(channel, b"x"))
        await begun.wait()
        stopping = asyncio.create_task(words.stop(10))
        await asyncio.sleep(0)
        go_on.set()

        assert await waiting == b"x"
        await stopping


async def test_who_speaks_no_http2_is_hung_up_on(unused_tcp_port: int) -> None:
    async with serving(echo, unused_tcp_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET / HTTP/1.1\r\nHost: trio2o\r\n\r\n")

        async with asyncio.timeout(10):
            await reader.read()
        writer.close()


FRAMES = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=50)
    ),
    max_size=8,
)


@given(wanted=FRAMES, cuts=st.lists(st.integers(1, 40), max_size=20))
def test_frames_are_read_however_they_are_cut(
    wanted: list[tuple[int, int, int, bytes]], cuts: list[int]
) -> None:
    octets = b"".join(frames.frame(*entry) for entry in wanted)
    buffer, found = bytearray(), []
    for size in (*cuts, len(octets)):
        buffer += octets[:size]
        octets = octets[size:]
        found += list(frames.read(buffer))

    assert found == wanted
    assert not buffer


@given(content=st.binary(max_size=40), padding=st.integers(0, 20))
def test_padding_is_taken_off(content: bytes, padding: int) -> None:
    padded = bytes([padding]) + content + bytes(padding)

    assert frames.unpadded(frames.PADDED, padded) == content
    assert frames.unpadded(0, content) == content
