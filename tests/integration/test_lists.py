"""Lists over both pods: merged, in the service's order, page by page, each thing once."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.cloud import Cloud
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

#: The zones of the things in the lists, by index: neither pod's are together.
_PLACES = (0, 1, 1, 0, 1)


@pytest.fixture(scope="module")
def servers(tenant: Tenant, zones: tuple[str, str]) -> list[str]:
    """Servers of both zones by turns, in the order they were made."""
    made = [
        tenant.cloud.create_server(f"server-{count}", zones[place])
        for count, place in enumerate(_PLACES)
    ]
    for server in made:
        tenant.cloud.wait_for_server(server)
    return made


@pytest.fixture(scope="module")
def volumes(tenant: Tenant, zones: tuple[str, str]) -> list[str]:
    """Volumes of both zones by turns, in the order they were made."""
    made = [
        tenant.cloud.create_volume(f"volume-{count}", zones[place])
        for count, place in enumerate(_PLACES)
    ]
    for volume in made:
        tenant.cloud.wait_for_volume(volume)
    return made


@pytest.mark.parametrize("path", ["/servers", "/servers/detail"])
def test_the_list_of_servers_has_those_of_both_pods_once(
    tenant: Tenant, servers: list[str], path: str
) -> None:
    found = [item["id"] for item in tenant.cloud.read("compute", path)["servers"]]

    assert sorted(found) == sorted(servers)


@pytest.mark.parametrize("path", ["/volumes", "/volumes/detail"])
def test_the_list_of_volumes_has_those_of_both_pods_once(
    tenant: Tenant, volumes: list[str], path: str
) -> None:
    found = [item["id"] for item in tenant.cloud.read("volume", path)["volumes"]]

    assert sorted(found) == sorted(volumes)


def test_servers_are_sorted_by_the_time_of_creation_newest_first(
    tenant: Tenant, servers: list[str]
) -> None:
    items = tenant.cloud.read("compute", "/servers/detail")["servers"]

    times = [item["created"] for item in items]

    assert len(times) == len(servers)
    assert times == sorted(times, reverse=True)


def test_volumes_are_sorted_by_the_time_of_creation_newest_first(
    tenant: Tenant, volumes: list[str]
) -> None:
    items = tenant.cloud.read("volume", "/volumes/detail")["volumes"]

    times = [item["created_at"] for item in items]

    assert len(times) == len(volumes)
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_servers_are_sorted_as_asked(tenant: Tenant, servers: list[str], direction: str) -> None:
    path = f"/servers?sort_key=display_name&sort_dir={direction}"

    names = [item["name"] for item in tenant.cloud.read("compute", path)["servers"]]

    wanted = [f"server-{count}" for count in range(len(servers))]
    assert names == (wanted if direction == "asc" else wanted[::-1])


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_volumes_are_sorted_as_asked(tenant: Tenant, volumes: list[str], direction: str) -> None:
    path = f"/volumes?sort=name:{direction}"

    names = [item["name"] for item in tenant.cloud.read("volume", path)["volumes"]]

    wanted = [f"volume-{count}" for count in range(len(volumes))]
    assert names == (wanted if direction == "asc" else wanted[::-1])


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_limit_and_marker_give_every_server_once(
    tenant: Tenant, servers: list[str], limit: int
) -> None:
    found = _by_marker(tenant.cloud, "compute", "servers", limit)

    whole = [item["id"] for item in tenant.cloud.read("compute", "/servers")["servers"]]
    assert found == whole
    assert sorted(found) == sorted(servers)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_limit_and_marker_give_every_volume_once(
    tenant: Tenant, volumes: list[str], limit: int
) -> None:
    found = _by_marker(tenant.cloud, "volume", "volumes", limit)

    whole = [item["id"] for item in tenant.cloud.read("volume", "/volumes")["volumes"]]
    assert found == whole
    assert sorted(found) == sorted(volumes)


def test_links_to_the_next_page_lead_through_all_servers(
    tenant: Tenant, gateway: Gateway, servers: list[str]
) -> None:
    _prove_links(tenant.cloud, gateway, "compute", "servers", servers)


def test_links_to_the_next_page_lead_through_all_volumes(
    tenant: Tenant, gateway: Gateway, volumes: list[str]
) -> None:
    _prove_links(tenant.cloud, gateway, "volume", "volumes", volumes)


def test_a_marker_nobody_has_is_refused(tenant: Tenant, servers: list[str]) -> None:
    assert servers

    answer = tenant.cloud.get("compute", "/servers?marker=00000000-0000-4000-8000-00000000dead")

    assert answer.status == 400
    assert answer.json["badRequest"]["code"] == 400


def test_a_filter_is_applied_in_every_pod(tenant: Tenant, servers: list[str]) -> None:
    found = tenant.cloud.read("compute", "/servers?name=server-[13]")["servers"]

    assert {item["id"] for item in found} == {servers[1], servers[3]}


@pytest.mark.parametrize("which", [0, 1])
def test_a_filter_by_zone_takes_the_name_users_see(
    tenant: Tenant, zones: tuple[str, str], servers: list[str], which: int
) -> None:
    # Members may filter by zone from 2.83 on.
    path = f"/servers/detail?availability_zone={zones[which]}"

    found = tenant.cloud.read("compute", path)["servers"]

    wanted = {server for server, place in zip(servers, _PLACES, strict=True) if place == which}
    assert {item["id"] for item in found} == wanted
    assert {item["OS-EXT-AZ:availability_zone"] for item in found} == {zones[which]}


def test_zones_have_the_names_users_see(tenant: Tenant, zones: tuple[str, str]) -> None:
    compute = tenant.cloud.read("compute", "/os-availability-zone")["availabilityZoneInfo"]
    volume = tenant.cloud.read("volume", "/os-availability-zone")["availabilityZoneInfo"]

    assert sorted(zone["zoneName"] for zone in compute) == sorted(zones)
    assert sorted(zone["zoneName"] for zone in volume) == sorted(zones)


@pytest.mark.parametrize(
    ("service", "path", "plural"),
    [
        ("compute", "/flavors", "flavors"),
        ("compute", "/flavors/detail", "flavors"),
        ("volume", "/types", "volume_types"),
        ("image", "/images", "images"),
    ],
)
def test_what_every_pod_has_is_listed_once(
    tenant: Tenant, zones: tuple[str, str], service: str, path: str, plural: str
) -> None:
    names = [item["name"] for item in tenant.cloud.read(service, path)[plural]]

    inside = {item["name"] for item in tenant.direct[zones[0]].read(service, path)[plural]}
    assert len(names) == len(set(names))
    assert inside <= set(names)


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("compute", "maxTotalInstances"),
        ("compute", "totalInstancesUsed"),
        ("volume", "maxTotalVolumes"),
        ("volume", "totalVolumesUsed"),
    ],
)
def test_limits_are_one_for_the_cloud_and_usage_is_summed(
    tenant: Tenant, servers: list[str], volumes: list[str], service: str, key: str
) -> None:
    assert servers
    assert volumes

    shown = tenant.cloud.read(service, "/limits")["limits"]["absolute"][key]

    parts = [
        pod.read(service, "/limits")["limits"]["absolute"][key] for pod in tenant.direct.values()
    ]
    assert shown == (sum(parts) if key.startswith("total") else parts[0])
    assert shown > 0


def test_no_list_tells_of_pods(
    tenant: Tenant, servers: list[str], volumes: list[str], pods: list[Any]
) -> None:
    assert servers
    assert volumes
    answers = [
        tenant.cloud.get("compute", "/servers/detail"),
        tenant.cloud.get("volume", "/volumes/detail"),
        tenant.cloud.get("compute", "/os-availability-zone"),
    ]

    told = [answer.text + str(answer.headers) for answer in answers]

    secrets = [pod.name for pod in pods] + [f":{pod.port('nova')}" for pod in pods]
    assert not [secret for secret in secrets for text in told if secret in text]


def _by_marker(cloud: Cloud, service: str, plural: str, limit: int) -> list[str]:
    found: list[str] = []
    while True:
        marker = f"&marker={found[-1]}" if found else ""
        page = cloud.read(service, f"/{plural}?limit={limit}{marker}")[plural]
        assert len(page) <= limit
        if not page:
            return found
        found += [item["id"] for item in page]


def _prove_links(
    cloud: Cloud, gateway: Gateway, service: str, plural: str, wanted: list[str]
) -> None:
    found: list[str] = []
    url = cloud.url(service, f"/{plural}?limit=2")
    while url:
        page: Mapping[str, Any] = cloud.client.ask("GET", url)
        found += [item["id"] for item in page[plural]]
        url = next((link["href"] for link in page.get(f"{plural}_links", [])), "")
        assert not url or url.startswith(gateway.url)

    assert sorted(found) == sorted(wanted)
