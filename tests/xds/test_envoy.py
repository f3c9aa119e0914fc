import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.xds import messages as m
from control_plane.xds.gateway import OwnerCache, build
from control_plane.xds.nodes import TypeStatus
from control_plane.xds.resource import CLUSTER, ROUTE, Resource
from control_plane.xds.snapshot import Snapshot
from tests.xds.certificates import signed
from tests.xds.gateway import TO, Gateway, Upstream, eventually, running_gateway

pytestmark = pytest.mark.envoy


@pytest.fixture(params=[True, False], ids=["delta", "sotw"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, delta=request.param) as gateway:
        yield gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as gateway:
        yield gateway


async def test_routes_to_the_pod_the_processor_chose(either: Gateway) -> None:
    found = {}
    for pod in ("Pod1", "Pod2"):
        headers = {TO: f"{pod}/compute", "host": "cloud.example.org"}
        async with either.session.get(f"{either.url}/compute/a%2Fb//c?d=e", headers=headers) as a:
            found[pod] = await a.json()

    assert [found[pod]["pod"] for pod in found] == ["Pod1", "Pod2"]
    assert found["Pod1"]["path"] == "/compute/a%2Fb//c?d=e"
    assert found["Pod1"]["headers"]["host"] == "cloud.example.org"
    await either.synced()
    (node,) = either.discovery.nodes()
    assert {status.acked for status in node.types} == {status.sent for status in node.types}


async def test_a_client_cannot_speak_for_the_processor(gateway: Gateway) -> None:
    headers = {
        TO: "Pod1/compute",
        "x-trio2o-cluster": "Pod2/compute",
        "x-trio2o-": "1",
        "x-trio2o-e": "1",
        "x-trio2o-explains": "1",
        "x-trio2o-owner-learn": "1",
        "x-trio2o-explain": "1",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-original-path": "/",
        "x_trio2o_cluster": "Pod2/compute",
    }
    async with gateway.session.get(f"{gateway.url}/compute/v2.1", headers=headers) as answer:
        body = await answer.json()

    assert body["pod"] == "Pod1"
    ours = ("x-trio2o", "x-envoy", "x_")
    seen = gateway.processor.seen[-1]
    assert {name for name in seen if name.startswith(ours)} == {
        "x-trio2o-explain",
        "x-envoy-external-address",  # Envoy's own
    }
    assert {name for name in body["headers"] if name.startswith(ours)} == {"x-trio2o-explain"}
    assert not [name for name in answer.headers if name.lower().startswith(ours)]
    assert answer.headers["server"] == "a-pod"


@pytest.mark.parametrize(
    ("lines", "stays"),
    [([], False), (["Host: cloud.example.org"], False), (["Connection: keep-alive"], True)],
    ids=["no host", "a host", "a connection that is kept"],
)
async def test_http_10_is_spoken(gateway: Gateway, lines: list[str], *, stays: bool) -> None:
    host, port = gateway.options.listen.split(":")
    asked = "\r\n".join(["GET /compute/v2.1 HTTP/1.0", f"{TO}: Pod1/compute", *lines, "", ""])
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(20):
        for _ in range(2 if stays else 1):
            writer.write(asked.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            assert head.startswith("http/1.0 200 ok")
            assert "transfer-encoding" not in head
        closed = not stays and await reader.read() == b""
    writer.close()

    assert body["pod"] == "Pod1"
    expected = "cloud.example.org" if "Host: cloud.example.org" in lines else gateway.options.listen
    assert body["headers"]["host"] == expected
    assert closed is not stays


async def test_a_clients_cluster_header_does_not_route_what_the_processor_left(
    gateway: Gateway,
) -> None:
    headers = {TO: "nowhere", "x-trio2o-cluster": "Pod2/compute"}
    async with gateway.session.get(f"{gateway.url}/compute/v2.1", headers=headers) as answer:
        body = await answer.json()

    assert answer.status == 503
    assert body["serviceUnavailable"]["code"] == 503


@pytest.mark.parametrize("details", ["", "trio2o_no_owner"])
async def test_the_processors_own_answers_pass_unchanged(gateway: Gateway, details: str) -> None:
    headers = {"say-503": "1", "details": details}
    async with gateway.session.get(f"{gateway.url}/network/v2.0", headers=headers) as answer:
        body = await answer.text()

    assert answer.status == 503
    assert body == "the processor's own words"
    assert answer.headers["content-type"] == "text/x-ours"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    ("path", "service", "expected"),
    [
        ("/compute/v2.1/servers", "compute", "serviceUnavailable"),
        ("/v3/p/volumes", "volume", "serviceUnavailable"),
        ("/network/v2.0/networks", "network", "NeutronError"),
        ("/v2.0/networks", "network", "NeutronError"),
        ("/resource_providers", "placement", "errors"),
    ],
)
async def test_a_dead_pod_is_a_503_in_the_services_form(
    gateway: Gateway, path: str, service: str, expected: str
) -> None:
    services = ("compute", "volume", "network", "placement")
    gateway.publish("Pod1", "Pod2", services=services)
    await gateway.synced()
    await gateway.upstreams["Pod2"].stop()

    headers = {TO: f"Pod2/{service}"}
    async with gateway.session.get(f"{gateway.url}{path}", headers=headers) as answer:
        text = await answer.text()

    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert answer.headers["content-type"] == "application/json"
    assert list(json.loads(text)) == [expected]
    assert "Pod2" not in text


async def test_health_checks_notice_a_dead_pod_without_traffic(gateway: Gateway) -> None:
    assert gateway.envoy is not None
    await gateway.upstreams["Pod2"].stop()

    async def unhealthy() -> bool:
        assert gateway.envoy is not None
        stats = await gateway.envoy.stats("cluster.Pod2/compute.membership_healthy")
        return stats.get("cluster.Pod2/compute.membership_healthy") == 0

    await eventually(unhealthy, within=10)
    headers = {TO: "Pod2/compute"}
    async with gateway.session.get(f"{gateway.url}/compute/v2.1", headers=headers) as answer:
        assert answer.status == 503
    await gateway.upstreams["Pod2"].start()
    await gateway.routes_to("Pod2")


async def test_without_the_processor_requests_fail_in_the_services_form(
    gateway: Gateway,
) -> None:
    await gateway.server.stop(0)

    found = {}
    for path in ("/network/v2.0/ports", "/compute/v2.1", "/image/v2/images", "/placement/x"):
        headers = {TO: "Pod1/compute"}
        async with gateway.session.get(f"{gateway.url}{path}", headers=headers) as answer:
            found[path] = (answer.status, answer.headers["retry-after"], await answer.text())

    assert {status for status, *_ in found.values()} == {503}
    assert {after for _, after, _ in found.values()} == {"5"}
    assert "NeutronError" in found["/network/v2.0/ports"][2]
    assert "serviceUnavailable" in found["/compute/v2.1"][2]
    assert "<h1>503 Service Unavailable</h1>" in found["/image/v2/images"][2]
    assert json.loads(found["/placement/x"][2])["errors"][0]["status"] == 503


async def test_a_slow_pod_is_a_504(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, request_timeout=0.3) as gateway:
        gateway.upstreams["Pod1"].delay = 5
        headers = {TO: "Pod1/compute"}
        async with gateway.session.post(f"{gateway.url}/v2.1/x", headers=headers) as answer:
            body = await answer.json()

        assert answer.status == 504
        assert body["computeFault"]["code"] == 504
        assert gateway.upstreams["Pod1"].requests.count("POST /v2.1/x") == 1


async def test_calls_that_time_out_together_take_the_pod_from_nobody(tmp_path: Path) -> None:
    async with running_gateway(
        tmp_path, request_timeout=0.3, health_check_interval=60.0, unasked_check_interval=60.0
    ) as gateway:
        headers = {TO: "Pod1/compute"}

        async def ask(path: str) -> int:
            async with gateway.session.post(f"{gateway.url}{path}", headers=headers) as answer:
                return answer.status

        gateway.upstreams["Pod1"].delay = 5
        slow = await asyncio.gather(*(ask("/v2.1/slow") for _ in range(20)))
        gateway.upstreams["Pod1"].delay = 0

        assert set(slow) == {504}
        assert await ask("/v2.1/quick") == 200


@pytest.mark.parametrize(("method", "status", "times"), [("GET", 200, 2), ("POST", 503, 1)])
async def test_a_read_on_a_connection_that_the_pod_closes_is_asked_again(
    gateway: Gateway, method: str, status: int, times: int
) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked.append(head.partition(b" HTTP")[0])
                if asked.count(f"{method} /v2.1/x".encode()) == 1 and b"/v2.1/x" in head:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    pod = gateway.upstreams["Pod1"]
    await pod.stop()
    server = await asyncio.start_server(serve, "127.0.0.1", pod.port)
    await gateway.routes_to("Pod1")
    headers = {TO: "Pod1/compute"}
    async with gateway.session.request(method, f"{gateway.url}/v2.1/x", headers=headers) as answer:
        found = answer.status
    server.close()

    assert found == status
    assert asked.count(f"{method} /v2.1/x".encode()) == times


async def test_image_data_has_no_time_limit(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, request_timeout=0.2) as gateway:
        gateway.upstreams["Pod1"].delay = 0.6
        headers = {TO: "Pod1/compute"}
        url = f"{gateway.url}/image/v2/images/1/file?x=y"
        async with gateway.session.put(url, headers=headers, data=b"x") as answer:
            assert answer.status == 200


async def test_uploads_stream_past_the_processor(gateway: Gateway) -> None:
    chunk, chunks = b"x" * (1 << 20), 64

    async def image() -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield chunk

    before = len(gateway.processor.seen)
    headers = {TO: "Pod1/compute"}
    url = f"{gateway.url}/image/v2/images/1/file"
    async with gateway.session.put(url, headers=headers, data=image()) as answer:
        body = await answer.json()

    assert body["bytes"] == chunks << 20
    assert len(gateway.processor.seen) == before + 1


async def test_pods_come_and_go_under_load(either: Gateway) -> None:
    statuses: list[int] = []
    running = True

    async def load() -> None:
        headers = {TO: "Pod1/compute"}
        while running:
            async with either.session.get(f"{either.url}/v2.1/x", headers=headers) as answer:
                await answer.read()
                statuses.append(answer.status)

    tasks = [asyncio.create_task(load()) for _ in range(4)]
    for _ in range(3):
        either.publish("Pod1", "Pod2", "Pod3")
        await either.synced()
        await either.routes_to("Pod3")
        either.publish("Pod1", "Pod2")
        await either.synced()
    running = False
    await asyncio.gather(*tasks)

    assert set(statuses) == {200}
    headers = {TO: "Pod3/compute"}
    async with either.session.get(f"{either.url}/v2.1/x", headers=headers) as answer:
        assert answer.status == 503
        assert answer.headers["retry-after"] == "5"


async def test_a_pod_that_moves_answers_all_the_while(either: Gateway) -> None:
    new = Upstream("Pod1")
    # Its first health check takes as long; `/` alone is answered at once.
    new.delay = 0.5
    await new.start()
    statuses: list[int] = []

    async def load() -> None:
        while not any(line.startswith("GET /v2.1/x") for line in new.requests):
            headers = {TO: "Pod1/compute"}
            async with either.session.get(f"{either.url}/v2.1/x", headers=headers) as answer:
                await answer.read()
                statuses.append(answer.status)

    tasks = [asyncio.create_task(load()) for _ in range(4)]
    address = Endpoint("http", "127.0.0.1", new.port, "/moved")
    fleet = Fleet.of([Pod("Pod1", "Pod1", "az1")])
    either.discovery.publish(build(either.options, fleet, {"Pod1": {"compute": address}}))
    await asyncio.gather(*tasks)
    await either.synced()
    await new.stop()

    assert set(statuses) == {200}


async def test_a_request_outlives_its_pod(gateway: Gateway) -> None:
    gateway.upstreams["Pod2"].delay = 1.0
    headers = {TO: "Pod2/compute"}

    async def slow() -> int:
        async with gateway.session.post(f"{gateway.url}/v2.1/x", headers=headers) as answer:
            return answer.status

    request = asyncio.create_task(slow())
    await eventually(lambda: "POST /v2.1/x" in gateway.upstreams["Pod2"].requests)
    gateway.publish("Pod1")
    await gateway.synced()

    assert await request == 200


async def test_a_refused_resource_is_sent_once_and_the_last_good_one_stays(
    either: Gateway,
) -> None:
    good = either.discovery.snapshot
    assert good is not None
    bad = [
        *(
            resource
            for type_url, named in good.resources.items()
            if type_url != ROUTE
            for resource in named.values()
        ),
        good.of_type(ROUTE)["egress"],
        Resource.of(
            "ingress",
            # Domains are needed: Envoy refuses this.
            m.route.RouteConfiguration(
                name="ingress", virtual_hosts=[m.route.VirtualHost(name="bad")]
            ),
        ),
    ]
    either.discovery.publish(Snapshot.of(bad))

    def refused() -> bool:
        return _route_status(either).state == "NACK"

    await eventually(refused)
    refusal = _route_status(either)
    await asyncio.sleep(0.5)

    assert "omains" in refusal.reason
    assert _route_status(either) == refusal  # no loop: nothing was sent since
    headers = {TO: "Pod1/compute"}
    async with either.session.get(f"{either.url}/v2.1/x", headers=headers) as answer:
        assert answer.status == 200
    either.discovery.publish(good)
    await either.synced()


def _route_status(gateway: Gateway) -> TypeStatus:
    (node,) = gateway.discovery.nodes()
    return next(status for status in node.types if status.type_url == ROUTE)


async def test_envoy_returns_to_a_control_plane_that_was_away(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        await gateway.server.stop(0)
        await eventually(lambda: not gateway.discovery.nodes())
        server = await gateway.restart_control_plane()
        try:
            await gateway.synced()
            await gateway.routes_to("Pod1")
            (node,) = gateway.discovery.nodes()
        finally:
            await server.stop(0)

    clusters = next(status for status in node.types if status.type_url == CLUSTER)
    assert clusters.state == "SYNCED"


async def test_egress_routes_over_a_unix_socket(gateway: Gateway) -> None:
    path = gateway.options.egress.removeprefix("unix:")
    before = len(gateway.processor.seen)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path)) as session:
        found = {}
        for pod in ("Pod1", "Pod2"):
            headers = {
                "x-trio2o-cluster": f"{pod}/network",
                "host": "cloud.example.org",
                "x-forwarded-proto": "https",
                "x-request-id": "of-the-client",
            }
            async with session.get("http://localhost/v2.0/ports?a=b", headers=headers) as answer:
                found[pod] = await answer.json()
        async with session.get("http://localhost/v2.0/ports") as undecided:
            pass
        gateway.upstreams["Pod1"].delay = 5
        headers = {
            "x-trio2o-cluster": "Pod1/network",
            "x-envoy-upstream-rq-timeout-ms": "100",
            "x-forwarded-for": "192.0.2.1",
        }
        async with session.post("http://localhost/v2.0/slow", headers=headers) as slow:
            pass

    assert [found[pod]["pod"] for pod in found] == ["Pod1", "Pod2"]
    assert found["Pod1"]["headers"]["host"] == "cloud.example.org"
    assert found["Pod1"]["headers"]["x-forwarded-proto"] == "https"
    assert found["Pod1"]["headers"]["x-request-id"] == "of-the-client"
    assert not [n for n in found["Pod1"]["headers"] if n.startswith(("x-envoy", "x-trio2o"))]
    assert undecided.status == 404
    assert slow.status == 504
    assert gateway.upstreams["Pod1"].requests.count("POST /v2.0/slow") == 1
    assert len(gateway.processor.seen) == before


async def test_the_access_log_tells_the_decision_and_no_token(gateway: Gateway) -> None:
    assert gateway.envoy is not None
    headers = {TO: "Pod2/network", "x-auth-token": "gAAAA-secret"}
    url = f"{gateway.url}/network/v2.0/nets?token=secret"
    async with gateway.session.get(url, headers=headers):
        pass
    log = gateway.envoy.access_log

    await eventually(lambda: "/network/v2.0/nets" in log.read_text())

    assert "secret" not in log.read_text()
    entry = next(
        json.loads(line) for line in log.read_text().splitlines() if "/network/v2.0/nets" in line
    )
    assert entry["status"] == 200
    assert (entry["pod"], entry["service"]) == ("Pod2", "network")
    assert entry["cluster"] == "Pod2/network"
    assert entry["openstack_request_id"] == "req-of-the-pod"


async def test_a_cluster_counts_what_operators_look_at_and_not_all_there_is(
    gateway: Gateway,
) -> None:
    assert gateway.envoy is not None
    headers = {TO: "Pod1/compute"}
    async with gateway.session.get(f"{gateway.url}/compute/v2.1", headers=headers):
        pass

    counted = await gateway.envoy.stats("cluster.Pod1/compute")

    names = {name.removeprefix("cluster.Pod1/compute.") for name in counted}
    assert {
        "upstream_rq_2xx",
        "upstream_rq_200",
        "upstream_rq_total",
        "upstream_cx_active",
    } <= names
    assert {"membership_healthy", "health_check.success", "upstream_rq_completed"} <= names
    assert not {name for name in names if name.startswith(("lb_", "update_", "http1"))}
    assert await gateway.envoy.stats("http.ingress.downstream_rq_total")
    assert await gateway.envoy.stats("listener")


@pytest.mark.parametrize(
    ("connection", "upgrade"),
    [("Upgrade, HTTP2-Settings", "h2c"), ("Upgrade", "TLS/1.2")],
    ids=["Java's HttpClient", "Apache's HttpClient 5.4"],
)
async def test_what_clients_offer_by_themselves_is_ignored(
    gateway: Gateway, connection: str, upgrade: str
) -> None:
    headers = {TO: "Pod1/compute", "connection": connection, "upgrade": upgrade}
    async with gateway.session.get(f"{gateway.url}/v2.1", headers=headers) as answer:
        assert answer.status == 200


async def test_big_tokens_pass(gateway: Gateway) -> None:
    headers = {TO: "Pod1/compute", "x-auth-token": "x" * (7 << 10)}
    async with gateway.session.get(f"{gateway.url}/v2.1", headers=headers) as answer:
        assert answer.status == 200


_CACHE = """
function envoy_on_request(handle)
  handle:headers():add("x-from-lua", "%s")
end
"""


async def test_the_owner_cache_is_replaced_without_a_drain(tmp_path: Path) -> None:
    cache = OwnerCache(_CACHE % "one")
    async with running_gateway(tmp_path, cache=cache, owner_cache=True) as gateway:
        assert gateway.envoy is not None
        headers = {TO: "Pod1/compute"}
        async with gateway.session.get(f"{gateway.url}/v2.1", headers=headers) as answer:
            first = (await answer.json())["headers"]["x-from-lua"]
        gateway.cache = OwnerCache(_CACHE % "two")
        gateway.publish("Pod1", "Pod2")
        await gateway.synced()

        async def replaced() -> bool:
            async with gateway.session.get(f"{gateway.url}/v2.1", headers=headers) as answer:
                return bool((await answer.json())["headers"]["x-from-lua"] == "two")

        await eventually(replaced)
        drained = await gateway.envoy.stats("listener_manager.listener_modified")

    assert first == "one"
    assert not any(drained.values())


async def test_a_pod_by_name_and_https_is_verified(tmp_path: Path) -> None:
    good, other = signed(tmp_path, "localhost"), signed(tmp_path, "elsewhere")
    async with running_gateway(tmp_path, ca_file=str(tmp_path / "ca.pem")) as gateway:
        for pod, certificate in (("Pod1", good), ("Pod2", other)):
            await gateway.upstreams[pod].stop()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            await gateway.upstreams[pod].start(context)
        endpoints = {
            pod: {"compute": Endpoint("https", "localhost", gateway.upstreams[pod].port)}
            for pod in ("Pod1", "Pod2")
        }
        fleet = Fleet.of(Pod(pod, pod, "az1") for pod in ("Pod1", "Pod2"))
        gateway.discovery.publish(build(gateway.options, fleet, endpoints))
        await gateway.synced()
        await gateway.routes_to("Pod1")
        headers = {TO: "Pod2/compute"}
        async with gateway.session.get(f"{gateway.url}/v2.1", headers=headers) as answer:
            assert answer.status == 503
