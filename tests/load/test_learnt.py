"""What a pod's answer to an action tells, and what a create brings to its pod, through Envoy."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from control_plane.commands.client import Client
from tests.bench.gateway import Gateway, wait_until
from tests.bench.keystone import ADMIN
from tests.load.client import Answer, Connection
from tests.load.ids import id_of, zone_of
from tests.load.odd import ODD, Asked, Odd, answer
from tests.load.pods import LISTED, StandIn
from tests.load.product import product

pytestmark = pytest.mark.envoy

SERVERS = "/compute/v2.1/servers"
SERVER = id_of(ODD, 1)
IMAGE = "5a3e9d0c-6c2b-4a57-9f3e-00000000000a"


class Whole(Odd):
    """A pod with a compute service and an image service, that keeps all it was asked."""

    @property
    def definition(self) -> dict[str, Any]:
        """Describe it in the operators' words."""
        found = super().definition
        found["endpoints"]["image"] = f"http://127.0.0.1:{self.port}"
        return found

    def reply(self, request: Asked) -> Iterable[bytes]:
        """Answer as the test says, and that every key pair is there."""
        if "/os-keypairs/" in request.path:
            self.asked.append(request)
            return [answer(b'{"keypair": {"name": "k"}}')]
        return super().reply(request)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Odd]]:
    folder = tmp_path_factory.mktemp("learnt")
    odd = Whole()
    pods = [StandIn(folder, number) for number in (0, 1)]
    # One worker: each remembers for itself.
    with product(folder, pods, LISTED, [odd], workers=1) as (gateway, _):
        with Client(gateway.xds, ADMIN) as client:
            wait_until(lambda: client.pod(odd.name).ready, every=0.3)
        yield gateway, odd


def post(gateway: Gateway, path: str, body: object) -> Answer:
    async def run() -> Answer:
        async with Connection(gateway.place.port) as connection:
            return await connection.ask("POST", path, json.dumps(body).encode())

    return asyncio.run(run())


def saving(asked: Asked) -> Iterable[bytes]:
    """Make an image as Nova does below microversion 2.45: no body, a Location."""
    if asked.path.endswith("/action"):
        return [answer(b"", f"Location: http://glance/images/{IMAGE}", status="202 Accepted")]
    body = json.dumps({"server": {"id": id_of(ODD, 99), "links": []}})
    return [answer(body.encode(), status="202 Accepted")]


def test_a_create_with_an_image_of_a_server_goes_to_its_pod(running: tuple[Gateway, Odd]) -> None:
    gateway, odd = running
    odd.behaviour = saving
    made = post(gateway, f"{SERVERS}/{SERVER}/action", {"createImage": {"name": "snap"}})
    odd.asked.clear()

    created = post(gateway, SERVERS, {"server": {"name": "n", "imageRef": IMAGE}})

    assert (made.status, created.status) == (202, 202)
    assert made.headers["location"].endswith(f"/images/{IMAGE}")
    assert [(asked.method, asked.path) for asked in odd.asked] == [("POST", "/v2.1/servers")]


def test_a_pod_is_asked_for_a_key_pair_before_the_create_and_then_no_more(
    running: tuple[Gateway, Odd],
) -> None:
    gateway, odd = running
    odd.behaviour = saving
    odd.asked.clear()
    body = {"server": {"name": "n", "key_name": "k", "availability_zone": zone_of(ODD)}}

    created = [post(gateway, SERVERS, body).status for _ in range(3)]

    assert created == [202, 202, 202]
    first, *others = [(asked.method, asked.path.partition("?")[0]) for asked in odd.asked]
    assert first[0] == "GET"
    assert first[1].endswith("/os-keypairs/k")
    assert others == [("POST", "/v2.1/servers")] * 3
