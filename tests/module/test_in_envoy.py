"""The module of known ids in a real Envoy whose listener is replaced while it is asked."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from control_plane.xds.gateway import OwnerCache
from control_plane.xds.module import built_module
from control_plane.xds.owner_cache import source
from tests.xds.gateway import eventually, running_gateway
from tests.xds.samples import RANGES, server
from tests.xds.test_owner_cache import World

pytestmark = pytest.mark.envoy

SERVICES = ("compute", "volume", "network")
SCRIPT = source(RANGES, 1000, "1")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    module = built_module()
    if module is None:
        pytest.skip("the module of known ids is not built: there is no C compiler")
    async with running_gateway(
        tmp_path,
        cache=OwnerCache(SCRIPT),
        services=SERVICES,
        owner_cache=True,
        module=str(module),
    ) as gateway:
        yield World(gateway, early=True)


async def show(session: aiohttp.ClientSession, world: World, known: str) -> bytes:
    async with session.get(f"{world.gateway.url}/compute/v2.1/servers/{known}") as answer:
        return await answer.read()


async def test_listeners_that_drain_and_that_begin_share_what_is_kept(world: World) -> None:
    """Each has a Lua of its own in the same thread, and one has not heard of the pod."""
    known = str(uuid4())
    pod = world.gateway.upstreams["Pod1"]
    pod.document = json.dumps({"server": server(known, pod.endpoint.url)}).encode()
    await world.teach(known)
    async with AsyncExitStack() as stack:
        # Each keeps one connection, and with it its listener.
        sessions = [await stack.enter_async_context(aiohttp.ClientSession()) for _ in range(12)]
        await asyncio.gather(*(show(session, world, known) for session in sessions))
        changed = dataclasses.replace(world.gateway.options, request_headers_timeout=77.0)
        world.gateway.options = changed
        world.gateway.publish("Pod1", "Pod2", services=SERVICES)
        assert world.gateway.envoy is not None
        envoy = world.gateway.envoy

        async def drains() -> bool:
            name = "listener_manager.total_filter_chains_draining"
            return (await envoy.stats(name)).get(name, 0) == 1

        await eventually(drains)
        for _ in range(3):
            await asyncio.gather(*(show(session, world, known) for session in sessions))
        async with aiohttp.ClientSession() as fresh:
            after = [await show(fresh, world, known) for _ in range(3)]
        fresh_ones = [await stack.enter_async_context(aiohttp.ClientSession()) for _ in range(12)]
        after += await asyncio.gather(*(show(session, world, known) for session in fresh_ones))

    assert not [answer for answer in after if b"inner1" in answer]
