"""Exchanges in which the processor's first word is its last."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Never

import pytest

from control_plane.model.errors import StoreUnreachable
from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.pods.client import PodRequest
from control_plane.services.catalog import SERVICES
from control_plane.services.lane import Lane, lane
from tests.processor.envoy import VIEW, Envoy

SERVER = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
LANES = {Lane.PASS: "headers", Lane.SEEN: "seen"}


def knowing(pod: str = "Pod2", resource: str = "server") -> Envoy:
    """Make an Envoy whose store knows who has `SERVER`, whatever it is."""

    def script(_: Pod, request: PodRequest) -> tuple[int, object]:
        return 200, {"asked": request.path}

    # As new as any row of the tables.
    versions = {"compute": MicroversionRange(Microversion(2, 1), Microversion(2, 200))}
    newest = {name: replace(known, versions=versions) for name, known in VIEW.facts.items()}
    envoy = Envoy(script, replace(VIEW, facts=newest))
    envoy.store.rows[SERVER] = Owner(SERVER, resource, pod, "a1b2", datetime.now(UTC))
    return envoy


def strayed(envoy: Envoy) -> float:
    found = envoy.metrics.registry.get_sample_value(
        "trio2o_lane_mismatches_total", {"service": "compute"}
    )
    return found or 0.0


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Give lane, method, path and version of every endpoint that comes on such a lane."""
    for service in SERVICES:
        version = f"/{service.versions[0]}" if service.versions else ""
        for operation in service.operations:
            for method in operation.methods:
                kind = LANES.get(lane(service, operation, method))
                if kind is not None:
                    below = re.sub(r"\{[^}]*\}", SERVER, operation.path)
                    rules, wanted = service.microversions, operation.since or operation.until
                    spoken = f"{rules.service_type} {wanted}" if rules and wanted else ""
                    yield kind, method, f"{service.prefix}{version}{below}", spoken


@pytest.mark.parametrize(("kind", "method", "path", "version"), list(rows()))
async def test_no_endpoint_comes_on_a_lane_that_is_too_narrow(
    kind: str, method: str, path: str, version: str
) -> None:
    # Several pods may have an image: only the record of one says where it was made.
    envoy = knowing(resource="image" if path.startswith("/image/") else "server")

    said = await envoy.word(
        kind, method, path, **({"openstack-api-version": version} if version else {})
    )

    assert said.cluster.startswith("Pod2/"), said.last
    assert envoy.metrics.registry.get_sample_value("trio2o_lane_mismatches_total") is None
    assert not envoy.pods.asked


async def test_the_word_is_the_one_of_a_conversation() -> None:
    path = f"/compute/v2.1/servers/{SERVER}/ips?a=b"
    version = {"openstack-api-version": "compute 2.60"}

    said = await knowing().word("headers", "GET", path, **version)
    told = await knowing().exchange("GET", path, **version)

    assert said.replies == told.replies


async def test_what_envoy_rewrites_is_not_asked_for_and_may_not_be_compressed() -> None:
    said = await knowing().word("seen", "GET", f"/compute/v2.1/servers/{SERVER}/os-interface")

    mutation = said.last.request_headers.response.header_mutation
    assert "accept-encoding" in mutation.remove_headers
    assert said.last.mode_override == pb.ProcessingMode()
    assert said.facts["learn"].split("|")[1] in ("s", "as")


async def test_refusals_are_given_here() -> None:
    said = await knowing().word("headers", "GET", "/compute/v2.1/nothing/of/that")

    assert said.status == 404
    assert said.headers["x-compute-request-id"].startswith("req-")


async def test_an_answer_that_has_to_be_seen_is_asked_for_here() -> None:
    def script(_: Pod, request: PodRequest) -> tuple[int, object]:
        links = [{"href": f"http://gateway:8080/v2.1{request.path}"}]
        zone = {"OS-EXT-AZ:availability_zone": "inner2"}
        return 200, {"server": {"id": SERVER, "links": links, **zone}}

    envoy = Envoy(script)
    envoy.store.rows[SERVER] = Owner(SERVER, "server", "Pod2", "a1b2")

    said = await envoy.word("headers", "GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.status == 200
    assert said.json["server"]["OS-EXT-AZ:availability_zone"] == "az2"
    assert [pod for pod, _ in envoy.pods.asked] == ["Pod2"]
    assert strayed(envoy) == 1


async def test_a_write_that_has_to_be_seen_is_not_made() -> None:
    envoy = knowing()

    said = await envoy.word("headers", "DELETE", f"/compute/v2.1/servers/{SERVER}")

    assert said.status == 503
    assert not envoy.pods.asked
    assert strayed(envoy) == 1


async def test_a_list_is_given_whole() -> None:
    def script(_: Pod, __: PodRequest) -> tuple[int, object]:
        return 200, {"servers": []}

    said = await Envoy(script).word("headers", "GET", "/compute/v2.1/servers")

    assert (said.status, said.json) == (200, {"servers": []})


async def test_a_show_is_answered_while_the_database_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(*_: object) -> Never:
        raise StoreUnreachable(ConnectionRefusedError())

    envoy = Envoy(lambda pod, _: (200 if pod.name == "Pod2" else 404, {"server": {"id": SERVER}}))
    for name in ("pods_of", "has_shadows", "record"):
        monkeypatch.setattr(envoy.store, name, gone)

    said = await envoy.word("seen", "GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.status == 200
    assert said.json == {"server": {"id": SERVER}}


async def test_a_first_show_asks_the_store_once_whether_its_pod_has_shadows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy, asked = knowing(), []
    has_shadows = envoy.store.has_shadows

    async def counted(resource: str, pod: str) -> bool:
        asked.append((resource, pod))
        return await has_shadows(resource, pod)

    monkeypatch.setattr(envoy.store, "has_shadows", counted)

    said = await envoy.word("seen", "GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.facts["learn"].startswith(f"{SERVER}|as|")
    assert asked == [("server_group", "Pod2")]
