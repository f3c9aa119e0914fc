"""The client of the pods, before servers that answer as pods may."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.model.address import Address, SocketPath
from control_plane.model.errors import EgressClosed, PodUnreachable
from control_plane.model.pod import Pod
from control_plane.pods import client as client_module
from control_plane.pods.client import PodClient, PodRequest

POD = Pod("id-1", "Pod1", "az1")
LIST = PodRequest("compute", "GET", "/v2.1/servers/detail", {"accept": "application/json"})
SERVERS = json.dumps({"servers": [{"id": str(number)} for number in range(1000)]}).encode()

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Paths:
    """No path before the version."""

    def path_prefix(self, pod: str, service: str) -> str | None:
        return ""


class Counted:
    """Remembers why pods failed."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def pod_error(self, pod: str, reason: str) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def before(serve: Serve, within: float = 30.0) -> AsyncIterator[tuple[PodClient, Counted]]:
    """Run a server that answers everything by a function, and a client of it."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", serve)
    counted = Counted()
    server = TestServer(application)
    await server.start_server()
    client = PodClient(Address("127.0.0.1", server.port), Paths(), within, counted)
    async with server, client:
        yield client, counted


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_an_answer_that_comes_packed_is_unpacked(
    coding: str, pack: Callable[[bytes], bytes]
) -> None:
    async def serve(_: web.Request) -> web.Response:
        headers = {"content-encoding": coding, "content-type": "application/json"}
        return web.Response(body=pack(SERVERS), headers=headers)

    async with before(serve) as (client, _):
        answer = await client.ask(POD, LIST)

    assert answer.body == SERVERS


async def test_packed_answers_are_not_asked_for() -> None:
    seen: list[str | None] = []

    async def serve(request: web.Request) -> web.Response:
        seen.append(request.headers.get("accept-encoding"))
        return web.Response(body=SERVERS)

    async with before(serve) as (client, _):
        await client.ask(POD, LIST)

    assert seen == [None]


async def test_an_answer_that_cannot_be_unpacked_is_none() -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=SERVERS, headers={"content-encoding": "gzip"})

    async with before(serve) as (client, _):
        with pytest.raises(PodUnreachable):
            await client.ask(POD, LIST)


@pytest.mark.parametrize("form", ["told", "chunked", "packed"])
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(client_module, "LARGEST", 1 << 20)
    sent = 0

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        if form == "packed":
            # A hundred thousand octets on their way, a hundred million unpacked.
            body = gzip.compress(bytes(100 << 20))
            return web.Response(body=body, headers={"content-encoding": "gzip"})
        answer = web.StreamResponse()
        if form == "told":
            answer.content_length = 100 << 20
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(bytes(1 << 20))
            sent += 1
        return answer

    async with before(serve) as (client, counted):
        with pytest.raises(PodUnreachable, match="more than 1 MiB"):
            await client.ask(POD, LIST)

    assert sent < 100
    assert counted.reasons == ["answered more than 1 MiB"]


async def test_a_pod_that_is_too_slow_does_not_answer() -> None:
    gone = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(SERVERS[:100])
        await gone.wait()
        return answer

    async with before(serve, within=0.2) as (client, counted):
        with pytest.raises(PodUnreachable):
            await client.ask(POD, LIST)
        gone.set()

    assert counted.reasons == ["TimeoutError"]


async def test_an_envoy_that_is_not_there_is_no_failure_of_the_pod(tmp_path: Path) -> None:
    counted = Counted()

    async with PodClient(SocketPath(f"{tmp_path}/egress.sock"), Paths(), 1.0, counted) as client:
        with pytest.raises(EgressClosed):
            await client.ask(POD, LIST)

    assert counted.reasons == []
