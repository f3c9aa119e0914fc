"""Every answer is from the right pod over HTTP/1.1 and HTTP/2, with and without TLS."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.gateway import Gateway
from tests.load.entrance import Certificate, entrance
from tests.load.fleet import Fleet
from tests.load.pods import StandIn
from tests.load.product import product, wait_for_creates
from tests.load.traffic import Traffic

pytestmark = pytest.mark.envoy

RECORDED, KNOWN = 500, 600

Running = tuple[Gateway, Fleet, Certificate | None]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "TLS"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("protocols")
    certificate = Certificate.of(folder) if request.param else None
    settings = certificate.settings if certificate else {}
    pods = [StandIn(folder, number) for number in range(3)]
    with product(folder, pods, RECORDED, **settings) as (gateway, fleet):
        wait_for_creates(gateway, fleet)
        yield gateway, fleet, certificate


@pytest.mark.parametrize(("http2", "connections"), [(False, 16), (True, 64)], ids=["1.1", "2"])
def test_every_answer_is_from_the_right_pod(
    running: Running, tmp_path: Path, *, http2: bool, connections: int
) -> None:
    gateway, fleet, certificate = running
    traffic = Traffic(fleet, RECORDED, KNOWN, forged=True)
    counter = f"http.ingress.downstream_rq_http{2 if http2 else 1}_total"
    before = gateway.stats(f"^{counter}$")[counter]

    with entrance(tmp_path, gateway.place.port, certificate, http2=http2) as way:
        asyncio.run(traffic.run(way.port, 500, connections, way.tls))

    assert traffic.findings.unexpected == []
    assert [pod.total("leaks") for pod in fleet.pods.values()] == [0, 0, 0]
    assert gateway.stats(f"^{counter}$")[counter] - before >= 500
