"""The module of known ids: who gets it, and what it does in a real Envoy."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from control_plane.model.fleet import Fleet
from control_plane.pb.discovery_pb2 import DeltaDiscoveryRequest, Node, Status
from control_plane.xds.bootstrap import BootstrapOptions, bootstrap
from control_plane.xds.gateway import OwnerCache, build
from control_plane.xds.module import NODE_KEY
from control_plane.xds.nodes import Silent
from control_plane.xds.options import GatewayOptions
from control_plane.xds.owner_cache import source
from control_plane.xds.resource import LISTENER, ROUTE
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.stream_delta import DeltaStream
from tests.xds.gateway import eventually, module_or_skip, running_gateway
from tests.xds.samples import RANGES, server
from tests.xds.test_owner_cache import POD1, POD2, SCRIPT, World

MODULE = "/usr/lib/trio2o/libtrio2o_known_ids.so"
OPTIONS = GatewayOptions(owner_cache=True)
SERVICES = ("compute", "volume", "network")


def published(options: GatewayOptions = OPTIONS) -> Snapshot:
    return build(options, Fleet.of([]), {}, OwnerCache(SCRIPT))


def ingress(snapshot: Snapshot) -> bytes:
    return snapshot.of_type(LISTENER)["ingress"].body


def test_a_bootstrap_says_where_the_module_is_and_nothing_without_one() -> None:
    with_module = bootstrap(BootstrapOptions("e", module=MODULE))["node"]

    assert with_module == {"id": "e", "cluster": "trio2o", "metadata": {NODE_KEY: MODULE}}
    assert bootstrap(BootstrapOptions("e"))["node"] == {"id": "e", "cluster": "trio2o"}


def test_only_the_listener_of_clients_differs_where_there_is_a_module() -> None:
    plain = published()

    changed = plain.for_module(MODULE)

    assert MODULE.encode() in ingress(changed)
    assert MODULE.encode() not in ingress(plain)
    differing = {url: names for url, names in changed.differences(plain).items() if names}
    assert differing == {LISTENER: {"ingress"}}
    assert changed.versions[ROUTE] == plain.versions[ROUTE]
    changed.check()


def test_without_an_owner_cache_the_module_has_nothing_to_do() -> None:
    plain = published(replace(OPTIONS, owner_cache=False))

    assert plain.for_module(MODULE) is plain


def test_each_envoy_gets_what_it_has_said_of_itself() -> None:
    plain = published()

    def listener(stream: DeltaStream, **metadata: str) -> bytes:
        node = Node(id="n", cluster="trio2o")
        node.metadata.update(metadata)
        (response,) = stream.receive(DeltaDiscoveryRequest(type_url=LISTENER, node=node))
        found = {resource.name: resource.resource.value for resource in response.resources}
        return found["ingress"]

    def stream() -> DeltaStream:
        return DeltaStream(Silent(), lambda: datetime.now(UTC), plain)

    assert listener(stream()) == ingress(plain)
    assert listener(stream(), **{NODE_KEY: MODULE}) == ingress(plain.for_module(MODULE))
    # A module somewhere else is another listener.
    assert listener(stream(), **{NODE_KEY: "/opt/a.so"}) == ingress(plain.for_module("/opt/a.so"))


def test_an_envoy_with_the_module_is_sent_nothing_where_nothing_changed() -> None:
    before, node = published(), Node(id="n")
    node.metadata.update({NODE_KEY: MODULE})
    stream = DeltaStream(Silent(), lambda: datetime.now(UTC), before)
    request = DeltaDiscoveryRequest(type_url=LISTENER, node=node)
    (response,) = stream.receive(request)
    stream.receive(DeltaDiscoveryRequest(type_url=LISTENER, response_nonce=response.nonce))

    after = build(OPTIONS, Fleet.of([]), {}, OwnerCache(source(RANGES, 1000, "2")))

    assert stream.update(after) == []


def test_who_refuses_the_listener_with_the_module_gets_it_without() -> None:
    plain, node = published(), Node(id="n")
    node.metadata.update({NODE_KEY: MODULE})
    stream = DeltaStream(Silent(), lambda: datetime.now(UTC), plain)
    (first,) = stream.receive(DeltaDiscoveryRequest(type_url=LISTENER, node=node))
    no = DeltaDiscoveryRequest(
        type_url=LISTENER, response_nonce=first.nonce, error_detail=Status(message="no such file")
    )

    (second,) = stream.receive(no)
    yes = DeltaDiscoveryRequest(type_url=LISTENER, response_nonce=second.nonce)

    found = {resource.name: resource.resource.value for resource in second.resources}
    assert found["ingress"] == ingress(plain)
    assert stream.receive(yes) == []
    assert stream.status().types[0].state == "SYNCED"


def test_who_refuses_it_all_the_same_is_not_asked_for_ever() -> None:
    plain, node = published(), Node(id="n")
    node.metadata.update({NODE_KEY: MODULE})
    stream = DeltaStream(Silent(), lambda: datetime.now(UTC), plain)
    sent = stream.receive(DeltaDiscoveryRequest(type_url=LISTENER, node=node))
    for _ in range(2):
        (response,) = sent
        no = DeltaDiscoveryRequest(
            type_url=LISTENER, response_nonce=response.nonce, error_detail=Status(message="no")
        )
        sent = stream.receive(no)

    assert sent == []
    assert stream.status().types[0].state == "NACK"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_gateway(
        tmp_path,
        cache=OwnerCache(SCRIPT),
        services=SERVICES,
        owner_cache=True,
        module=module_or_skip(),
    ) as gateway:
        yield World(gateway)


async def logged(world: World, count: int) -> list[dict[str, Any]]:
    """Wait for so many lines of the access log about servers."""
    assert world.gateway.envoy is not None
    log = world.gateway.envoy.access_log

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in log.read_text().splitlines()]
        return [line for line in found if "/servers/" in line["path"]]

    await eventually(lambda: len(lines()) >= count)
    return lines()


@pytest.mark.envoy
async def test_what_lua_has_decided_once_is_decided_before_any_route(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, POD2)

    for _ in range(3):
        status, _, body = await world.ask_once(f"/compute/v2.1/servers/{known}/ips?a=b")
        assert (status, json.loads(body)["pod"]) == (200, "Pod2")
        assert world.seen_by(POD2) == f"GET /v2.1/servers/{known}/ips?a=b"
    await world.ask_once(f"/compute/v2.1/servers/{known}", "DELETE")

    routes = [line["route"] for line in await logged(world, 5)]
    assert routes[1:] == ["known-read", "known-early-read", "known-early-read", "undecided"]


@pytest.mark.envoy
async def test_answers_are_put_into_the_users_words_as_before(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    pod = world.gateway.upstreams["Pod1"]
    pod.document = json.dumps({"server": server(known, pod.endpoint.url)}).encode()

    answers = [await world.ask_once(f"/compute/v2.1/servers/{known}") for _ in range(3)]

    shown = json.loads(answers[0][2])["server"]
    assert shown["OS-EXT-AZ:availability_zone"] == "az1"
    assert {body for _, _, body in answers} == {answers[0][2]}
    routes = [line["route"] for line in await logged(world, 4)]
    assert routes[1:] == ["known-read", "known-early-read", "known-early-read"]


@pytest.mark.envoy
async def test_another_method_path_or_version_is_decided_by_lua_first(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    below = f"/compute/v2.1/servers/{known}"

    await world.ask_once(f"{below}/ips")
    await world.ask_once(f"{below}/ips", "HEAD")
    await world.ask_once(f"{below}/metadata")
    await world.ask_once(f"{below}/ips", openstack_api_version="compute 2.50")
    await world.ask_once(f"{below}/ips", x_openstack_nova_api_version="2.50")
    await world.ask_once(f"{below}/ips", openstack_api_version="compute 2.50")

    routes = [line["route"] for line in await logged(world, 7)]
    assert "known-early-read" not in routes[1:6]
    assert routes[6] == "known-early-read"


@pytest.mark.envoy
async def test_a_new_script_knows_nothing_of_what_the_last_has_said(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    for _ in range(2):
        await world.ask_once(f"/compute/v2.1/servers/{known}/ips")
    asked = world.asked
    world.gateway.cache = OwnerCache(source(RANGES, 1000, "2"))
    world.gateway.publish("Pod1", "Pod2", services=SERVICES)
    await world.gateway.synced()

    async def forgotten() -> bool:
        await world.ask_once(f"/compute/v2.1/servers/{known}/ips")
        return world.asked > asked

    await eventually(forgotten)


@pytest.mark.envoy
async def test_what_an_answer_says_anew_of_an_id_counts_from_then_on(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, POD1)
    for _ in range(2):
        await world.ask_once(f"/compute/v2.1/servers/{known}/ips")
    await world.teach(known, POD2)

    _, _, body = await world.ask_once(f"/compute/v2.1/servers/{known}/ips")

    assert json.loads(body)["pod"] == "Pod2"


@pytest.mark.envoy
async def test_an_envoy_that_cannot_load_the_module_serves_without(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.so")
    async with running_gateway(
        tmp_path, cache=OwnerCache(SCRIPT), services=SERVICES, owner_cache=True, module=missing
    ) as gateway:
        world, known = World(gateway), str(uuid4())
        await world.teach(known, POD2)

        _, _, body = await world.ask_once(f"/compute/v2.1/servers/{known}/ips")

        assert json.loads(body)["pod"] == "Pod2"
        assert gateway.envoy is not None
        assert missing in gateway.envoy.log.read_text()
