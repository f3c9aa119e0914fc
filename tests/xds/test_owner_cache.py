"""The owner cache in a real Envoy, with the services' own tables and a stub of the processor."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from control_plane.handlers.translate import Translation
from control_plane.model.fleet import Fleet
from control_plane.model.host_id import shown_host_id
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.processor.learn import describe
from control_plane.services.catalog import SERVICES, service_named
from control_plane.services.lane import Lane, lane
from control_plane.xds.gateway import OwnerCache
from control_plane.xds.owner_cache import source
from tests.xds.gateway import LEARN, TO, Gateway, module_or_skip, running_gateway
from tests.xds.samples import RANGES, server, servers, volume

pytestmark = pytest.mark.envoy

POD1 = Pod("1", "Pod1", "az1", "inner1")
POD2 = Pod("2", "Pod2", "az2", "az2")
SCRIPT = source(RANGES, 1000, "1")
COMPUTE, VOLUME = service_named("compute"), service_named("volume")


class World:
    """A gateway with the cache, its pods, and what the processor would say of them."""

    def __init__(self, gateway: Gateway, *, early: bool = False) -> None:
        self.gateway = gateway
        #: How often each is asked. Where Envoy has the module of known ids, the second answer is
        #: looked at: it says anew what Lua said a moment before.
        self.times = 2 if early else 1
        self.view = View(
            Fleet.of([POD1, POD2]),
            {
                pod.name: PodFacts(
                    {entry.name: gateway.upstreams[pod.name].endpoint for entry in SERVICES}
                )
                for pod in (POD1, POD2)
            },
        )

    def lesson(self, known: str, pod: Pod, service: str = "compute", flags: str = "a") -> str:
        return f"{known}|{flags}|{describe(self.view, pod, service_named(service))}"

    async def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        for _ in range(1 if TO in headers else self.times):
            answer = await self.ask_once(path, method, body, **headers)
        return answer

    async def ask_once(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.gateway.url}{path}"
        async with self.gateway.session.request(method, url, headers=sent, data=body) as answer:
            got = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, got, await answer.read()

    async def teach(
        self, known: str, pod: Pod = POD1, service: str = "compute", flags: str = "a"
    ) -> None:
        """Let the processor route one request for an id, and say whose it is."""
        prefix = service_named(service).prefix
        version = service_named(service).versions[0]
        collection = {"compute": "servers", "volume": "volumes"}[service]
        await self.ask(
            f"{prefix}/{version}/{collection}/{known}/unknown",
            **{TO: f"{pod.name}/{service}", LEARN: self.lesson(known, pod, service, flags)},
        )

    @property
    def asked(self) -> int:
        """How often the processor was asked, by as many requests as one `ask` is."""
        return len(self.gateway.processor.seen) // self.times

    def seen_by(self, pod: Pod) -> str:
        """What the pod was asked last."""
        return self.gateway.upstreams[pod.name].requests[-1]


@pytest.fixture(params=["lua", "module"])
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    cache = OwnerCache(SCRIPT)
    services = ("compute", "volume", "network")
    module = module_or_skip() if request.param == "module" else ""
    async with running_gateway(
        tmp_path, cache=cache, services=services, owner_cache=True, module=module
    ) as gateway:
        yield World(gateway, early=bool(module))


async def test_an_id_is_learnt_once_and_then_answered_without_the_processor(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, POD2)
    asked = world.asked

    status, headers, body = await world.ask(f"/compute/v2.1/servers/{known}/ips?a=b")

    assert status == 200
    assert json.loads(body)["pod"] == "Pod2"
    assert world.seen_by(POD2) == f"GET /v2.1/servers/{known}/ips?a=b"
    assert world.asked == asked
    assert not [name for name in headers if name.startswith("x-trio2o")]
    assert not [name for name in json.loads(body)["headers"] if name.startswith("x-trio2o")]


async def test_an_answer_that_breaks_off_between_the_filters_names_no_pod(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    # More than is kept for the filters: Envoy answers in its place, and past them.
    world.gateway.upstreams["Pod1"].document = b"x" * (4 << 20)

    status, headers, _ = await world.ask(f"/compute/v2.1/servers/{known}")

    assert status == 502
    assert not [name for name in headers if name.startswith(("x-trio2o", "proxy-connection"))]
    assert "Pod1" not in str(headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/compute/v2.1/servers/{}/metadata/key"),
        ("DELETE", "/compute/v2.1/servers/{}/tags/one"),
        ("GET", "/v2.1/servers/{}/diagnostics"),
        ("GET", "/compute/v2.1/0123456789abcdef0123456789abcdef/servers/{}/ips"),
    ],
)
async def test_what_lies_below_an_id_goes_to_its_pod(world: World, method: str, path: str) -> None:
    known = str(uuid4())
    await world.teach(known)
    asked = world.asked

    _, _, body = await world.ask(path.format(known), method)

    assert json.loads(body)["pod"] == "Pod1"
    assert world.asked == asked


@pytest.mark.parametrize(
    ("method", "path"),
    [
        # The end is noted.
        ("DELETE", "/compute/v2.1/servers/{}"),
        # The zone in the body is the users'.
        ("PUT", "/compute/v2.1/servers/{}"),
        ("GET", "/compute/v2.1/servers/{}/migrations"),
        ("GET", "/compute/v2/servers/{}/ips"),
        ("GET", "/compute/v2.1/servers/{}.json"),
        ("GET", "/compute/v2.1/servers/{}/metadata/.."),
        ("GET", "/compute/v2.1/servers//{}/ips"),
        ("GET", "/compute/v2.1/servers/{}/"),
        ("GET", "/compute/v2.1/servers/detail"),
        ("GET", "/nothing/{}"),
        ("PATCH", "/compute/v2.1/servers/{}/ips"),
    ],
)
async def test_what_needs_thought_is_asked_of_the_processor(
    world: World, method: str, path: str
) -> None:
    known = str(uuid4())
    await world.teach(known)
    asked = world.asked

    await world.ask(path.format(known), method)

    assert world.asked == asked + 1


@pytest.mark.parametrize(
    ("version", "passes"),
    [
        ({}, True),
        ({"openstack_api_version": "compute 2.96"}, True),
        ({"x_openstack_nova_api_version": "2.1"}, True),
        ({"openstack_api_version": "compute 2.97"}, False),
        ({"openstack_api_version": "compute latest"}, False),
        ({"openstack_api_version": "compute 3.0"}, False),
        ({"openstack_api_version": "volume 3.0"}, False),
        ({"x_openstack_nova_api_version": "latest"}, False),
        ({"x_openstack_nova_api_version": "2"}, False),
    ],
)
async def test_only_versions_that_all_pods_have_pass(
    world: World, version: dict[str, str], *, passes: bool
) -> None:
    known = str(uuid4())
    await world.teach(known)
    asked = world.asked

    await world.ask(f"/compute/v2.1/servers/{known}/ips", **version)

    assert (world.asked == asked) is passes


async def test_a_client_can_neither_choose_a_pod_nor_teach(world: World) -> None:
    known, other = str(uuid4()), str(uuid4())
    await world.teach(known, POD1)
    lies = {
        "x-trio2o-known": "Pod2/compute",
        "x-trio2o-seen": "Pod2/compute",
        "x-trio2o-early-known": "Pod2/compute",
        "x-trio2o-early-seen": "Pod2/compute",
        "x-trio2o-cluster": "Pod2/compute",
        "x-trio2o-lane": "headers",
        "proxy-connection": f"{world.lesson(other, POD2)} GET http host Pod2/compute /x",
        "x-trio2o-cache": "9000",
    }

    _, _, body = await world.ask(f"/compute/v2.1/servers/{known}/ips", **lies)
    await world.ask(f"/compute/v2.1/servers/{other}/ips", **lies)
    asked = world.asked
    await world.ask(f"/compute/v2.1/servers/{other}/ips")

    assert json.loads(body)["pod"] == "Pod1"
    assert world.asked == asked + 1


async def test_a_pod_can_neither_teach_nor_speak_to_clients_of_it(world: World) -> None:
    known, other = str(uuid4()), str(uuid4())
    await world.teach(known, POD1)
    whose = "GET http host Pod2/compute /v2.1/servers/x"
    world.gateway.upstreams["Pod1"].headers = {
        "proxy-connection": f"{world.lesson(other, POD2)} {whose}",
        "x-trio2o-seen": whose,
    }

    answers = [await world.ask(f"/compute/v2.1/servers/{known}{below}") for below in ("", "/ips")]
    answers.append(await world.ask("/compute/v2.1/servers", **{TO: "Pod1/compute"}))
    asked = world.asked
    await world.ask(f"/compute/v2.1/servers/{other}/ips")

    assert world.asked == asked + 1
    for _, headers, _ in answers:
        assert not [name for name in headers if name.startswith(("x-trio2o", "proxy-connection"))]


async def test_the_processor_hears_how_large_the_cache_is(world: World) -> None:
    sizes = []
    for _ in range(3):
        await world.ask(f"/compute/v2.1/servers/{uuid4()}/ips", x_trio2o_cache="9000")
        sizes.append(int(world.gateway.processor.seen[-1]["x-trio2o-cache"]))
        await world.teach(str(uuid4()))

    assert max(sizes) <= 3
    assert sizes[0] == 0


async def test_an_administrator_who_asks_why_is_answered_by_the_processor(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    asked = world.asked

    await world.ask(f"/compute/v2.1/servers/{known}/ips", x_trio2o_explain="1")

    assert world.asked == asked + 1


async def test_what_is_said_of_an_owner_while_explaining_is_learnt_and_not_shown(
    world: World,
) -> None:
    known = str(uuid4())
    said = {TO: "Pod1/compute", LEARN: world.lesson(known, POD1), "x-trio2o-explain": "1"}

    _, headers, _ = await world.ask(f"/compute/v2.1/servers/{known}/ips", **said)
    asked = world.asked
    await world.ask(f"/compute/v2.1/servers/{known}/ips")

    assert not [name for name in headers if name.startswith("x-trio2o")]
    assert world.asked == asked


async def test_shows_of_lost_pods_are_the_processors(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, POD1)
    world.gateway.cache = OwnerCache(SCRIPT, lost=("Pod1",))
    world.gateway.publish("Pod1", "Pod2", services=("compute", "volume", "network"))
    await world.gateway.synced()
    await asyncio.sleep(0.2)
    asked = world.asked

    await world.ask(f"/compute/v2.1/servers/{known}")

    assert world.asked == asked + 1


async def test_many_pods_may_be_lost_at_once(world: World) -> None:
    mine, others = str(uuid4()), str(uuid4())
    await world.teach(mine, POD1)
    await world.teach(others, POD2)
    lost = tuple(f"dc-{uuid4()}" for _ in range(200))
    world.gateway.cache = OwnerCache(SCRIPT, lost=("Pod1", *lost))
    world.gateway.publish("Pod1", "Pod2", services=("compute", "volume", "network"))
    await world.gateway.synced()
    await asyncio.sleep(0.2)
    asked = world.asked

    await world.ask(f"/compute/v2.1/servers/{others}")
    after_others = world.asked
    await world.ask(f"/compute/v2.1/servers/{mine}")

    assert after_others == asked
    assert world.asked == asked + 1


async def test_a_new_epoch_empties_the_cache(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    world.gateway.cache = OwnerCache(source(RANGES, 1000, "2"))
    world.gateway.publish("Pod1", "Pod2", services=("compute", "volume", "network"))
    await world.gateway.synced()
    await asyncio.sleep(0.2)
    asked = world.asked

    await world.ask(f"/compute/v2.1/servers/{known}/ips")

    assert world.asked == asked + 1


async def test_what_nobody_asks_for_is_forgotten_and_what_is_asked_for_stays(
    tmp_path: Path,
) -> None:
    cache = OwnerCache(source(RANGES, 4, "1"))
    async with running_gateway(tmp_path, cache=cache, owner_cache=True) as gateway:
        world = World(gateway)
        loved, left = str(uuid4()), str(uuid4())
        for known in (loved, left):
            await world.teach(known)
        for _ in range(4):
            for _ in range(3):
                await world.teach(str(uuid4()))
            await world.ask(f"/compute/v2.1/servers/{loved}/ips")
        asked = world.asked
        await world.ask(f"/compute/v2.1/servers/{loved}/ips")
        after_loved = world.asked
        await world.ask(f"/compute/v2.1/servers/{left}/ips")

        assert after_loved == asked
        assert world.asked == asked + 1


async def test_an_id_that_its_pod_does_not_know_is_shown_to_the_processor_next_time(
    world: World,
) -> None:
    known = str(uuid4())
    await world.teach(known)
    await world.ask(f"/compute/v2.1/servers/{known}")
    world.gateway.upstreams["Pod1"].status = 404
    seen = world.gateway.processor.seen
    first = len(seen)
    await world.ask_once(f"/compute/v2.1/servers/{known}")
    second = len(seen)
    await world.ask_once(f"/compute/v2.1/servers/{known}")

    assert (second, len(seen)) == (first, first + 1)


async def test_groups_that_have_parts_elsewhere_need_the_processor(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, flags="")
    asked = world.asked
    await world.ask(f"/compute/v2.1/servers/{known}/ips")
    after_ips = world.asked
    await world.ask(f"/compute/v2.1/servers/{known}")

    assert after_ips == asked
    assert world.asked == asked + 1


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        (b'{"reboot": {"type": "SOFT"}}', True),
        (b'{"os-stop": null}', True),
        (b' {\n "unpause" : null } ', True),
        (b'{"rebuild": {"imageRef": "x"}}', False),
        (b'{"forceDelete": null}', False),
        (b'{"os-stop": null, "rebuild": {}}', False),
        (b'{"reboot": {"type": {"a": 1}}}', False),
        (b'{"no-such-action": null}', False),
        (b'{"reboot": ', False),
        (b"", False),
    ],
)
async def test_plain_actions_go_straight_to_the_pod(
    world: World, body: bytes, *, passes: bool
) -> None:
    known = str(uuid4())
    await world.teach(known)
    asked = world.asked

    _, _, answer = await world.ask(
        f"/compute/v2.1/servers/{known}/action", "POST", body, **{TO: "Pod1/compute"}
    )

    assert (world.asked == asked) is passes
    assert json.loads(answer)["bytes"] == len(body)


async def test_volumes_show_ids_of_types_from_3_63_on(world: World) -> None:
    known = str(uuid4())
    await world.teach(known, service="volume")
    path = f"/volume/v3/0123456789abcdef0123456789abcdef/volumes/{known}"
    asked = world.asked
    await world.ask(path, openstack_api_version="volume 3.62")
    before = world.asked
    await world.ask(path, openstack_api_version="volume 3.63")

    assert before == asked
    assert world.asked == asked + 1


async def test_a_show_is_put_into_the_users_words(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    pod = world.gateway.upstreams["Pod1"]
    found = server(known, pod.endpoint.url)
    pod.document = json.dumps({"server": found}).encode()

    _, headers, body = await world.ask(f"/compute/v2.1/servers/{known}")

    shown = json.loads(body)["server"]
    assert int(headers["content-length"]) == len(body)
    assert shown["OS-EXT-AZ:availability_zone"] == "az1"
    assert shown["hostId"] == shown_host_id("Pod1", found["hostId"])
    assert shown["links"][0]["href"] == f"{world.gateway.url}/compute/v2.1/servers/{known}"
    assert shown["metadata"] == found["metadata"]


@pytest.mark.parametrize(
    ("hops", "headers", "url"),
    [
        (0, {"Host": ""}, "http://"),
        (1, {"Host": "cloud", "X-Forwarded-Proto": "https, http"}, "https, http://cloud"),
    ],
    ids=["no host", "two schemes"],
)
async def test_an_answer_is_in_the_users_words_whatever_the_gateway_is_called(
    tmp_path: Path, hops: int, headers: dict[str, str], url: str
) -> None:
    async with running_gateway(
        tmp_path, cache=OwnerCache(SCRIPT), owner_cache=True, trusted_hops=hops
    ) as gateway:
        world, known = World(gateway), str(uuid4())
        await world.teach(known)
        found = server(known, gateway.upstreams["Pod1"].endpoint.url)
        gateway.upstreams["Pod1"].document = json.dumps({"server": found}).encode()

        _, _, body = await world.ask(f"/compute/v2.1/servers/{known}", **headers)

    shown = json.loads(body)["server"]
    assert shown["OS-EXT-AZ:availability_zone"] == "az1"
    assert shown["links"][0]["href"] == f"{url}/compute/v2.1/servers/{known}"


@pytest.mark.parametrize("service", ["compute", "volume"])
async def test_answers_are_what_the_processor_makes_of_them(world: World, service: str) -> None:
    """Over many documents, awkward ones among them."""
    known = str(uuid4())
    await world.teach(known, service=service)
    pod = world.gateway.upstreams["Pod1"]
    rules = service_named(service)
    name, make, path = {
        "compute": ("server", servers, f"/compute/v2.1/servers/{known}"),
        "volume": ("volume", volume, f"/volume/v3/volumes/{known}"),
    }[service]
    resource = rules.resources[name]
    authority = world.gateway.options.listen
    translation = Translation(world.view, POD1, f"http://{authority}", authority)
    differing: list[Any] = []
    for document in make(known, pod.endpoint.url):
        pod.document = json.dumps({resource.key: document}).encode()
        expected = translation.body(pod.document, resource)
        _, _, body = await world.ask(path)
        if json.loads(body) != json.loads(expected):
            differing.append((document, json.loads(body), json.loads(expected)))
    asked = [entry for entry in world.gateway.processor.seen if entry[":path"] == path]

    assert not differing
    assert not asked


async def test_refusals_name_no_pod(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    pod = world.gateway.upstreams["Pod1"]
    pod.status = 409
    text = f"Zone inner1 of Pod1 is busy, see {pod.endpoint.url}/v2.1/servers; xPod1 /inner1/ stay"
    pod.document = json.dumps({"conflictingRequest": {"code": 409, "message": text}}).encode()
    authority = world.gateway.options.listen
    expected = Translation(world.view, POD1, f"http://{authority}", authority).fault(pod.document)

    status, _, body = await world.ask(f"/compute/v2.1/servers/{known}")

    assert status == 409
    assert body == expected
    assert b"inner1 of" not in body


async def test_what_is_no_answer_passes_as_it_is(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    pod = world.gateway.upstreams["Pod1"]
    for document in (b"", b"{", b"[]", b'"x', b'{"server": {"hostId": ', b"\xff\xfe", b"null"):
        pod.document = document
        _, _, body = await world.ask(f"/compute/v2.1/servers/{known}")
        assert body == document


async def test_no_path_is_too_odd(world: World) -> None:
    for path in ("/", "//", "/compute", "/compute/", "/compute/v2.1", "/compute/v2.1?", "/v3/x/"):
        await world.ask(path)

    assert world.gateway.envoy is not None
    stats = await world.gateway.envoy.stats("http.ingress.lua")
    assert stats["http.ingress.lua.executions"]
    assert not stats.get("http.ingress.lua.errors")


def test_rows_have_the_lane_that_they_need() -> None:
    found = {
        (service.name, method, operation.path): lane(service, operation, method)
        for service in SERVICES
        for operation in service.operations
        for method in operation.methods
    }

    assert found["compute", "GET", "/servers/{server}"] is Lane.SEEN
    assert found["compute", "GET", "/servers/{server}/ips"] is Lane.PASS
    assert found["compute", "POST", "/servers/{server}/action"] is Lane.ACTION
    assert found["compute", "GET", "/servers/detail"] is Lane.LIST
    assert found["compute", "POST", "/servers"] is Lane.FULL
    assert found["volume", "GET", "/volumes/{volume}"] is Lane.SEEN
    assert found["network", "GET", "/ports/{port}"] is Lane.SEEN
    assert found["compute", "DELETE", "/servers/{server}"] is Lane.FULL


async def test_a_dead_pod_of_a_known_id_is_a_503_in_the_services_form(world: World) -> None:
    known = str(uuid4())
    parts = world.lesson(known, POD2, "network").split("|")
    odd = "|".join([*parts[:3], "/odd/path", *parts[4:]])
    await world.ask(f"/network/v2.0/ports/{known}/x", **{TO: "Pod2/network", LEARN: odd})
    await world.ask(f"/network/v2.0/ports/{known}")
    last = world.seen_by(POD2)
    await world.gateway.upstreams["Pod2"].stop()
    asked = world.asked

    status, headers, body = await world.ask(f"/network/v2.0/ports/{known}")

    assert last == f"GET /odd/path/v2.0/ports/{known}"
    assert status == 503
    assert list(json.loads(body)) == ["NeutronError"]
    assert headers["retry-after"] == "5"
    assert not [name for name in headers if name.startswith("x-trio2o")]
    assert world.asked == asked


async def test_the_global_request_id_reaches_the_pod(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)

    _, _, own = await world.ask(f"/compute/v2.1/servers/{known}/ips")
    _, _, given = await world.ask(
        f"/compute/v2.1/servers/{known}/ips", x_openstack_request_id="req-mine"
    )

    headers = json.loads(own)["headers"]
    assert headers["x-openstack-request-id"] == f"req-{headers['x-request-id']}"
    assert json.loads(given)["headers"]["x-openstack-request-id"] == "req-mine"


async def test_hits_are_counted(world: World) -> None:
    known = str(uuid4())
    await world.teach(known)
    for below in ("/ips", "/ips", ""):
        await world.ask(f"/compute/v2.1/servers/{known}{below}")

    assert world.gateway.envoy is not None
    stats = await world.gateway.envoy.stats("vhost.ingress.route")

    assert stats["vhost.ingress.route.known.upstream_rq_total"] == 2 * world.times
    assert stats["vhost.ingress.route.seen.upstream_rq_total"] == world.times


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/compute/v2.1/servers/{}/ips"), ("POST", "/compute/v2.1/servers")],
    ids=["one word", "a conversation"],
)
async def test_a_processor_that_is_away_for_a_moment_is_asked_again(
    world: World, method: str, path: str
) -> None:
    gateway = world.gateway
    await gateway.server.stop(None)
    headers = {TO: "Pod1/compute"}
    asked = asyncio.create_task(world.ask(path.format(uuid4()), method, b"{}", **headers))
    await asyncio.sleep(0.4)
    assert not asked.done()

    server = await gateway.restart_control_plane()
    status, _, _ = await asked
    await server.stop(0.2)

    assert status == 200
