"""Lists that a real Envoy routes by itself, to the pod that the processor named for the token."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.directory.presence import LEASE
from control_plane.model.host_id import shown_host_id
from control_plane.xds.gateway import OwnerCache
from control_plane.xds.owner_cache import source
from tests.xds.gateway import LEARN, TO, eventually, running_gateway
from tests.xds.samples import RANGES, server
from tests.xds.test_owner_cache import POD1, POD2, World

pytestmark = pytest.mark.envoy

LIST = "/compute/v2.1/servers/detail"
SCRIPT = source(RANGES, 1000, "1")
#: A slow machine must not end a lease that a test goes by.
PATIENT = SCRIPT.replace(f"LEASE = 1000, {round(LEASE * 1000)}", "LEASE = 1000, 600000")
_SERVICES = ("compute", "volume", "network")


async def ask(world: World, path: str = LIST, token: str = "one", **headers: Any) -> Any:
    """Ask for a list; should the stub of the processor be asked, it names a home."""
    service = "volume" if path.startswith("/volume") else "compute"
    said = {TO: f"Pod1/{service}", LEARN: world.lesson("", POD1, service, "sh")}
    said["new-path"] = path.removeprefix(f"/{service}")
    if token:
        said["x-auth-token"] = token
    return await world.ask(path, **{**said, **headers})


def give(world: World, *ids: str, **more: Any) -> None:
    """Let the pod list servers."""
    pod = world.gateway.upstreams["Pod1"]
    items = [server(entry, pod.endpoint.url) for entry in ids]
    pod.document = json.dumps({"servers": items, **more}).encode()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    assert SCRIPT != PATIENT
    async with running_gateway(
        tmp_path, cache=OwnerCache(PATIENT), services=_SERVICES, owner_cache=True
    ) as gateway:
        world = World(gateway)
        give(world, "a", "b")
        yield world


async def test_the_next_list_of_a_token_runs_no_processor(world: World) -> None:
    await ask(world)
    asked = world.asked

    status, headers, body = await ask(world, f"{LIST}?name=w&status=x")

    assert world.asked == asked
    assert status == 200
    assert world.seen_by(POD1) == "GET /v2.1/servers/detail?name=w&status=x"
    assert [entry["id"] for entry in json.loads(body)["servers"]] == ["a", "b"]
    assert not [name for name in headers if name.startswith("x-trio2o")]


async def test_lists_are_in_the_users_words_with_a_lease_and_without(world: World) -> None:
    pod = world.gateway.upstreams["Pod1"]
    give(world, "a", servers_links=[{"rel": "next", "href": f"{pod.endpoint.url}/v2.1/x"}])

    for _ in range(2):
        _, _, body = await ask(world)
        shown = json.loads(body)
        [found] = shown["servers"]
        assert found["OS-EXT-AZ:availability_zone"] == "az1"
        assert found["hostId"] == shown_host_id("Pod1", server("a", "")["hostId"])
        assert found["links"][0]["href"] == f"{world.gateway.url}/compute/v2.1/servers/a"
        assert shown["servers_links"][0]["href"] == f"{world.gateway.url}/compute/v2.1/x"

    lists = [entry for entry in world.gateway.processor.seen if entry[":path"] == LIST]
    assert len(lists) == 1


async def test_other_spellings_of_the_list_share_the_lease(world: World) -> None:
    await ask(world)
    asked = world.asked

    for path in ("/compute/v2.1/servers", "/v2.1/servers/detail", "/compute/v2.1/0a1b/servers?"):
        await ask(world, path)

    assert world.asked == asked


@pytest.mark.parametrize("prefix", ["/compute", ""])
async def test_the_link_to_the_next_page_is_the_gateways(world: World, prefix: str) -> None:
    href = f"{world.gateway.upstreams['Pod1'].endpoint.url}/v2.1/x?limit=2&marker=b"
    give(world, "a", "b", servers_links=[{"rel": "next", "href": href}])
    path = LIST.replace("/compute", prefix)
    asked = world.asked

    for _ in range(2):
        _, _, body = await ask(world, f"{path}?status=x&limit=2&name=w")
        [link] = json.loads(body)["servers_links"]
        query = "limit=2&marker=b&name=w&status=x"
        assert link == {"rel": "next", "href": f"{world.gateway.url}{path}?{query}"}

    assert world.asked == asked + 1


async def test_pages_in_an_order_of_their_own_are_the_processors(world: World) -> None:
    await ask(world, "/volume/v3/volumes")
    asked = world.asked

    await ask(world, "/volume/v3/volumes?sort=name")
    await ask(world, "/volume/v3/volumes?sort=name&limit=2")

    assert world.asked == asked + 1


async def test_each_kind_of_thing_is_asked_for(world: World) -> None:
    await ask(world)
    asked = world.asked

    for path in ("/volume/v3/0a1b/volumes", "/volume/v3/0a1b/snapshots/detail"):
        await ask(world, path)
        await ask(world, path)

    assert world.asked == asked + 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (LIST, {"token": "two"}),
        (LIST, {"token": ""}),
        (LIST, {"x_service_token": "s"}),
        (LIST, {"x_trio2o_explain": "1"}),
        (LIST, {"body": b"{}"}),
        (LIST, {"openstack_api_version": "compute 2.97"}),
        (LIST, {"openstack_api_version": "compute latest"}),
        (f"{LIST}?all_tenants=1", {}),
        (f"{LIST}?name=1&deleted=true", {}),
        (f"{LIST}?name=a;all_tenants=1", {}),
        (f"{LIST}?%61ll_tenants=1", {}),
        (f"{LIST}?name=1&", {}),
        (f"{LIST}?limit=0", {}),
        (f"{LIST}?limit=a", {}),
        (f"{LIST}?limit=1&limit=2", {}),
        (f"{LIST}?limit=1&name=a%20b", {}),
        (f"{LIST}?limit=1&name=a+b", {}),
        (f"{LIST}?limit=1&name", {}),
        (f"{LIST}?limit=1&marker=x", {}),
        (f"{LIST}?limit=1&name={'n' * 1024}", {}),
        (f"{LIST}?sort_key=name", {}),
        (f"{LIST}?availability_zone=az1", {}),
        ("/compute/v2.1/flavors", {}),
    ],
)
async def test_what_needs_thought_is_asked_of_the_processor(
    world: World, path: str, headers: dict[str, Any]
) -> None:
    await ask(world)
    asked = world.asked

    await ask(world, path, **headers)

    assert world.asked == asked + 1


async def test_a_token_that_is_too_long_has_no_lease(world: World) -> None:
    for _ in range(2):
        await ask(world, token="t" * 5000)

    lists = [entry for entry in world.gateway.processor.seen if entry[":path"] == LIST]
    assert len(lists) == 2


async def test_volumes_that_show_ids_of_types_are_the_processors(world: World) -> None:
    await ask(world, "/volume/v3/volumes", openstack_api_version="volume 3.62")
    asked = world.asked
    await ask(world, "/volume/v3/volumes", openstack_api_version="volume 3.62")
    before = world.asked
    await ask(world, "/volume/v3/volumes", openstack_api_version="volume 3.63")

    assert before == asked
    assert world.asked == asked + 1


async def test_only_a_list_that_the_pod_gave_makes_a_lease(world: World) -> None:
    pod = world.gateway.upstreams["Pod1"]
    pod.status = 401
    await ask(world)
    pod.status = 200
    asked = world.asked
    await ask(world)

    assert world.asked == asked + 1


async def test_the_pod_sees_every_token_and_refuses_for_itself(world: World) -> None:
    await ask(world)
    pod = world.gateway.upstreams["Pod1"]
    pod.status = 401
    pod.document = json.dumps({"error": {"message": "inner1 of Pod1: zone"}}).encode()

    status, _, body = await ask(world)

    assert status == 401
    assert json.loads(body) == {"error": {"message": "az1 of az1: zone"}}


async def test_nobody_can_forge_a_lease(world: World) -> None:
    lie = world.lesson("", POD2, "compute", "sh")
    lies = {
        "proxy-connection": f"{lie} GET http host Pod2/compute {LIST}",
        "x-trio2o-seen": "Pod2/compute",
        "x-trio2o-lane": "list",
    }
    world.gateway.upstreams["Pod1"].headers = lies

    await world.ask(LIST, **{**lies, "x-auth-token": "one", TO: "Pod1/compute"})
    asked = world.asked
    await world.ask(LIST, **{**lies, "x-auth-token": "one", TO: "Pod1/compute"})

    assert world.asked == asked + 1
    assert not world.gateway.upstreams["Pod2"].requests[1:]


async def test_lists_of_lost_pods_are_the_processors(world: World) -> None:
    await ask(world)
    world.gateway.cache = OwnerCache(PATIENT, lost=("Pod1",))
    world.gateway.publish("Pod1", "Pod2", services=_SERVICES)
    await world.gateway.synced()
    await asyncio.sleep(0.2)
    asked = world.asked

    await ask(world)

    assert world.asked == asked + 1


async def test_a_list_may_be_larger_than_what_envoy_keeps(world: World) -> None:
    give(world, *(f"00000000-0000-4000-8000-{number:012x}" for number in range(10_000)))

    for _ in range(2):
        status, _, body = await ask(world, accept_encoding="gzip")
        shown = json.loads(body)["servers"]
        assert status == 200
        assert len(shown) == 10_000
        assert {entry["OS-EXT-AZ:availability_zone"] for entry in shown} == {"az1"}
    assert len(body) > 4 << 20


async def test_empty_answers_pass(world: World) -> None:
    pod = world.gateway.upstreams["Pod1"]
    for document in (b"", b"{}", b'{"servers": []}'):
        pod.document = document
        for _ in range(2):
            status, _, body = await ask(world)
            assert (status, body) == (200, document)
    assert world.gateway.envoy is not None
    stats = await world.gateway.envoy.stats("http.ingress.lua")
    assert not stats.get("http.ingress.lua.errors")


async def test_routed_lists_are_counted(world: World) -> None:
    for _ in range(4):
        await ask(world)

    assert world.gateway.envoy is not None
    stats = await world.gateway.envoy.stats("vhost.ingress.route")

    assert stats["vhost.ingress.route.seen.upstream_rq_total"] == 3


async def test_a_lease_ends_however_often_it_is_used(tmp_path: Path) -> None:
    async with running_gateway(
        tmp_path, cache=OwnerCache(SCRIPT), services=_SERVICES, owner_cache=True
    ) as gateway:
        world = World(gateway)
        give(world, "a")
        await ask(world)
        asked = world.asked

        async def is_over() -> bool:
            await ask(world)
            return world.asked > asked

        await eventually(is_over)
