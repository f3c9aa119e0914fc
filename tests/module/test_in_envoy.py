"""The module of known ids in a real Envoy whose listener and script are replaced meanwhile."""

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from control_plane.xds.gateway import OwnerCache
from control_plane.xds.owner_cache import source
from tests.module.building import library
from tests.xds.gateway import LEARN, TO, eventually, running_gateway
from tests.xds.samples import RANGES, server
from tests.xds.test_owner_cache import POD1, POD2, World

pytestmark = pytest.mark.envoy

SERVICES = ("compute", "volume", "network", "image")
SCRIPT = source(RANGES, 1000, "1")


@pytest.fixture
async def world(folder: Path) -> AsyncIterator[World]:
    module = str(library(folder))
    async with running_gateway(
        folder, cache=OwnerCache(SCRIPT), services=SERVICES, owner_cache=True, module=module
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


class Users:
    """Clients that ask for one id all the time, each on a connection of its own."""

    def __init__(self, world: World, known: str) -> None:
        self._world, self._known = world, known
        self.owner = POD1
        #: Of whom they have heard since it was emptied.
        self.heard: set[bytes] = set()

    async def ask(self, stop: asyncio.Event) -> None:
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                for below in ("", "/ips"):
                    await self._show(session, below)

    async def _show(self, session: aiohttp.ClientSession, below: str) -> None:
        pod = self.owner
        lesson = {TO: f"{pod.name}/compute", LEARN: self._world.lesson(self._known, pod)}
        # What the processor says of the path, should it be asked.
        lesson["new-path"] = f"/v2.1/servers/{self._known}{below}"
        url = f"{self._world.gateway.url}/compute/v2.1/servers/{self._known}{below}"
        async with session.get(url, headers=lesson) as answer:
            assert answer.status == 200
            self.heard.add(await answer.read())


async def test_no_id_goes_where_it_was_once_a_new_script_has_come(world: World) -> None:
    """What the last script still says while workers get the new one must not outlive it."""
    pods = {POD1.name: b"one", POD2.name: b"two"}
    for name, text in pods.items():
        world.gateway.upstreams[name].document = text
    users, stop = Users(world, str(uuid4())), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(12):
            tasks.create_task(users.ask(stop))
        for epoch in range(8):
            users.owner = (POD1, POD2)[epoch % 2]
            world.gateway.cache = OwnerCache(source(RANGES, 1000, f"epoch {epoch}"))
            world.gateway.publish("Pod1", "Pod2", services=SERVICES)
            await world.gateway.synced()
            # Workers hear of it a moment after the main thread.
            await asyncio.sleep(0.2)
            users.heard.clear()
            await asyncio.sleep(0.2)
            assert users.heard == {pods[users.owner.name]}
        stop.set()


async def test_image_data_streams_past_all_filters(world: World) -> None:
    image = str(uuid4())
    path = f"/image/v2/images/{image}/file"
    taught = {
        TO: "Pod2/image",
        "new-path": f"/v2/images/{image}/file",
        LEARN: world.lesson(image, POD2, "image"),
    }
    data = b"d" * (8 << 20)
    # One for each worker.
    for _ in range(24):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{world.gateway.url}{path}", headers=taught),
        ):
            pass

    for _ in range(3):
        url = f"{world.gateway.url}{path}"
        async with world.gateway.session.put(url, data=io.BytesIO(data)) as answer:
            got = await answer.json()

        assert (answer.status, got["pod"], got["bytes"]) == (200, "Pod2", len(data))
        names = [*answer.headers, *got["headers"]]
        assert not [name for name in names if name.lower().startswith("x-trio2o")]
