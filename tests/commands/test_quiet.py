"""How an Envoy is told to end what is under way; a real one."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from control_plane.commands.quiet import quiet
from control_plane.model.address import Address
from tests.xds.gateway import TO, Gateway, eventually, running_gateway


def _admin(gateway: Gateway) -> Address:
    assert gateway.envoy is not None
    return Address.parse(gateway.envoy.admin.removeprefix("http://"))


async def test_a_request_under_way_ends_and_no_other_begins(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        gateway.upstreams["Pod1"].delay = 1.0

        async def ask() -> tuple[int, str | None]:
            headers = {TO: "Pod1/compute"}
            async with gateway.session.get(f"{gateway.url}/v2.1/slow", headers=headers) as answer:
                return answer.status, answer.headers.get("connection")

        slow = asyncio.create_task(ask())
        await eventually(lambda: bool(gateway.upstreams["Pod1"].requests))
        await quiet(_admin(gateway), 10.0)
        answered = slow.done()
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask()
        path = gateway.options.egress.removeprefix("unix:")
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path)) as session:
            to = {"x-trio2o-cluster": "Pod2/compute"}
            async with session.get("http://pods/v2.1/x", headers=to) as egress:
                assert egress.status == 200

    assert answered
    assert await slow == (200, "close")


async def test_a_request_that_does_not_end_is_waited_for_no_longer_than_told(
    tmp_path: Path,
) -> None:
    async with running_gateway(tmp_path) as gateway:
        gateway.upstreams["Pod1"].delay = 30.0
        headers = {TO: "Pod1/compute"}
        slow = asyncio.create_task(gateway.session.get(f"{gateway.url}/v2.1/slow", headers=headers))
        await eventually(lambda: bool(gateway.upstreams["Pod1"].requests))
        began = time.monotonic()
        await quiet(_admin(gateway), 0.5)
        took = time.monotonic() - began
        assert not slow.done()
        slow.cancel()

    assert took >= 0.5


async def test_an_envoy_that_cannot_be_asked_is_not_waited_for(unused_tcp_port: int) -> None:
    await asyncio.wait_for(quiet(Address("127.0.0.1", unused_tcp_port), 60.0), 10)
