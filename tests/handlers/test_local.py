"""Requests about integers and hosts: the name says the pod, the pod gets its own words."""

import json
from typing import Any

import pytest

from control_plane.model.pod import Pod
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.pods.client import PodRequest
from tests.handlers.two_pods import Answer, asked, envoy, saying, sent
from tests.processor.envoy import Envoy, Said

#: The hosts of each pod; `same` is in both.
HOSTS = {"Pod1": ["one", "same"], "Pod2": ["two", "same"]}
SERVICES = {
    "Pod1": "5e000000-0000-4000-8000-000000000001",
    "Pod2": "5e000000-0000-4000-8000-000000000002",
}


def cloud(*, admin: bool = True) -> Envoy:
    """Make pods that list their services."""

    def script(pod: Pod, request: PodRequest) -> Answer:
        path, _, query = request.path.partition("?")
        if not admin:
            return 403, {"forbidden": {"code": 403, "message": "no"}}
        if path.endswith("/os-services"):
            host = query.removeprefix("host=") if query else None
            found = [
                {"host": name, "id": SERVICES[pod.name]}
                for name in HOSTS[pod.name]
                if host in (None, name)
            ]
            return 200, {"services": found}
        return 404, {}

    return envoy(script)


async def send(
    at: Envoy,
    method: str,
    path: str,
    body: object = None,
    answer: tuple[int, object] | None = None,
    version: str = "2.1",
) -> Said:
    return await at.exchange(
        method,
        f"/compute/v2.1{path}",
        body,
        answer,
        token="admin",
        openstack_api_version=f"compute {version}",
    )


def body(said: Said) -> Any:
    """Read the body that replaces the client's."""
    mutation = said.last.request_body.response.body_mutation
    return json.loads(mutation.body) if mutation.body else None


def shown(said: Said) -> Any:
    """Read the body that replaces the pod's answer."""
    reply: pb.ProcessingResponse = said.last
    return json.loads(reply.response_body.response.body_mutation.body)


async def test_a_number_says_the_pod_which_gets_its_own_number() -> None:
    at = cloud()

    said = await send(at, "GET", f"/os-aggregates/{7 * 4096 + 2}")

    assert said.cluster == "Pod2/compute"
    assert said.routed[":path"] == "/v2.1/os-aggregates/7"
    assert at.pods.asked == []


async def test_the_project_of_the_path_is_kept() -> None:
    said = await cloud().exchange("GET", f"/compute/v2.1/a1b2/os-aggregates/{4096 + 1}")

    assert said.routed[":path"] == "/v2.1/a1b2/os-aggregates/1"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/os-aggregates/", "Aggregate {} could not be found."),
        ("/os-hypervisors/", "Hypervisor with ID '{}' could not be found."),
        ("/os-hypervisors/", "Invalid uuid {}"),
    ],
)
async def test_a_number_of_no_pod_is_refused_by_one_in_the_clients_words(
    path: str, words: str
) -> None:
    fault = {"itemNotFound": {"code": 404, "message": words.format(0)}}

    said = await send(cloud(), "GET", f"{path}4099", None, (404, fault))

    assert said.routed[":path"] == f"/v2.1{path}0"
    assert shown(said)["itemNotFound"]["message"] == words.format(4099)


async def test_an_answer_shows_the_number_and_the_hosts_with_their_pod() -> None:
    answer = {"aggregate": {"id": 7, "hosts": ["one"], "availability_zone": "inner1"}}

    said = await send(cloud(), "GET", f"/os-aggregates/{7 * 4096 + 1}", None, (200, answer))

    assert shown(said) == {
        "aggregate": {
            "id": 7 * 4096 + 1,
            "hosts": ["Pod1~one"],
            "availability_zone": "az1",
        }
    }


async def test_a_host_is_added_by_its_shown_name_and_by_its_own() -> None:
    path = f"/os-aggregates/{7 * 4096 + 1}/action"
    named = await send(cloud(), "POST", path, {"add_host": {"host": "Pod1~one"}})
    plain = await send(cloud(), "POST", path, {"add_host": {"host": "one"}})

    assert (named.routed[":path"], body(named)) == (
        "/v2.1/os-aggregates/7/action",
        {"add_host": {"host": "one"}},
    )
    assert (plain.cluster, body(plain)) == ("Pod1/compute", None)


async def test_a_host_of_another_pod_than_the_aggregates_is_refused() -> None:
    path = f"/os-aggregates/{7 * 4096 + 1}/action"

    said = await send(cloud(), "POST", path, {"add_host": {"host": "Pod2~two"}})

    assert said.status == 400
    assert "Pod" not in said.json["badRequest"]["message"]


@pytest.mark.parametrize(
    ("zone", "pod", "told"),
    [
        ("az2", "Pod2", "inner2"),
        ("Pod2~az2", "Pod2", "inner2"),
        ("Pod2~new", "Pod2", "new"),
        ("new", "Pod1", None),
        (None, "Pod1", None),
    ],
)
async def test_the_zone_of_a_new_aggregate_says_the_pod(
    zone: str | None, pod: str, told: str | None
) -> None:
    aggregate = {"name": "a", **({"availability_zone": zone} if zone else {})}

    said = await send(cloud(), "POST", "/os-aggregates", {"aggregate": aggregate})

    assert said.cluster == f"{pod}/compute"
    assert body(said) == ({"aggregate": {"name": "a", "availability_zone": told}} if told else None)


async def test_a_zone_in_metadata_is_told_in_the_pods_words() -> None:
    metadata = {"availability_zone": "az1", "k": "az1"}

    said = await send(
        cloud(), "POST", "/os-aggregates/4097/action", {"set_metadata": {"metadata": metadata}}
    )

    assert body(said)["set_metadata"]["metadata"] == {"availability_zone": "inner1", "k": "az1"}


async def test_a_service_is_disabled_by_the_shown_name_of_its_host() -> None:
    wish = {"host": "Pod2~same", "binary": "nova-compute"}

    said = await send(cloud(), "PUT", "/os-services/disable", wish)

    assert said.cluster == "Pod2/compute"
    assert body(said) == {"host": "same", "binary": "nova-compute"}


async def test_a_host_that_one_pod_has_needs_no_pod() -> None:
    at = cloud()

    said = await send(at, "PUT", "/os-services/disable", {"host": "two", "binary": "nova-compute"})

    assert said.cluster == "Pod2/compute"
    assert asked(at, "Pod1") == [("GET", "/v2.1/os-services?host=two")]


async def test_a_host_that_several_pods_have_needs_one() -> None:
    said = await send(
        cloud(), "PUT", "/os-services/disable", {"host": "same", "binary": "nova-compute"}
    )

    assert said.status == 400
    assert "Pod1~same or Pod2~same" in said.json["badRequest"]["message"]


async def test_who_may_not_see_hosts_is_refused_by_a_pod() -> None:
    said = await send(cloud(admin=False), "GET", "/os-hosts/same")

    assert said.cluster == "Pod1/compute"
    assert said.routed[":path"] == "/v2.1/os-hosts/same"


async def test_a_service_is_found_by_its_id() -> None:
    said = await send(
        cloud(), "PUT", f"/os-services/{SERVICES['Pod2']}", {"status": "enabled"}, version="2.53"
    )

    assert said.cluster == "Pod2/compute"


async def test_a_service_is_deleted_by_its_number() -> None:
    said = await send(cloud(), "DELETE", f"/os-services/{3 * 4096 + 2}")

    assert (said.cluster, said.routed[":path"]) == ("Pod2/compute", "/v2.1/os-services/3")


async def test_a_migration_has_one_number_in_all_lists() -> None:
    said = await send(cloud(), "GET", f"/servers/s/migrations/{5 * 4096 + 2}", version="2.23")

    assert (said.cluster, said.routed[":path"]) == ("Pod2/compute", "/v2.1/servers/s/migrations/5")


async def test_a_pattern_of_hosts_may_name_the_pod() -> None:
    said = await send(cloud(), "GET", "/os-hypervisors/Pod2~tw/search")

    assert (said.cluster, said.routed[":path"]) == (
        "Pod2/compute",
        "/v2.1/os-hypervisors/tw/search",
    )


async def test_what_is_managed_is_listed_by_its_host_in_the_query() -> None:
    said = await cloud().exchange(
        "GET", "/volume/v3/os-volume-manage?host=Pod2~two%40b%23p&limit=3", token="admin"
    )

    assert said.cluster == "Pod2/volume"
    assert said.routed[":path"] == "/v3/os-volume-manage?host=two%40b%23p&limit=3"


async def test_a_back_ends_name_in_a_path_is_told_without_its_pod() -> None:
    said = await cloud().exchange("GET", "/volume/v3/capabilities/Pod2~two@b", token="admin")

    assert (said.cluster, said.routed[":path"]) == ("Pod2/volume", "/v3/capabilities/two%40b")


async def test_a_cluster_is_named_in_the_body() -> None:
    said = await cloud().exchange(
        "PUT",
        "/volume/v3/clusters/enable",
        {"name": "Pod2~c@b"},
        token="admin",
        openstack_api_version="volume 3.7",
    )

    assert (said.cluster, body(said)) == ("Pod2/volume", {"name": "c@b"})


async def test_a_command_for_a_named_host_goes_to_its_pod_alone() -> None:
    level = {"host": "two@b", "binary": "cinder-volume", "levels": {}}
    at = saying({"log_levels": []}, {"log_levels": [level]})

    said = await at.exchange(
        "PUT",
        "/volume/v3/os-services/get-log",
        {"binary": "*", "server": "Pod2~two@b"},
        token="admin",
        openstack_api_version="volume 3.32",
    )

    assert said.json == {"log_levels": [{**level, "host": "Pod2~two@b"}]}
    assert sent(at) == {"Pod2": {"binary": "*", "server": "two@b"}}
