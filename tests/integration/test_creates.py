"""Creates against real pods: hints, batches, groups over several pods."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cloud import IMAGE, NANO, until
from tests.integration.tenant import Tenant
from tests.openstack.client import Answer
from tests.openstack.pod import Pod

pytestmark = pytest.mark.openstack

GROUPS = "/os-server-groups"


def create(tenant: Tenant, hints: object = None, **fields: Any) -> Answer:
    """Ask for a small server without a network."""
    server = {"name": "hinted", "flavorRef": NANO, "imageRef": IMAGE, "networks": "none", **fields}
    body: dict[str, object] = {"server": server}
    return tenant.cloud.post(
        "compute", "/servers", {**body, "os:scheduler_hints": hints} if hints else body
    )


@pytest.fixture(scope="module")
def servers(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One server a zone."""
    made = {zone: create(tenant, availability_zone=zone) for zone in zones}
    ids = {zone: str(answer.json["server"]["id"]) for zone, answer in made.items()}
    for server in ids.values():
        tenant.cloud.wait_for_server(server)
    return ids


@pytest.fixture
def group(tenant: Tenant, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server group of the policy the test names; deleted if it is still there."""
    body = {"server_group": {"name": f"group-{request.param}", "policy": request.param}}
    answer = tenant.cloud.post("compute", GROUPS, body)
    assert answer.status == 200, answer.text
    identity = str(answer.json["server_group"]["id"])
    yield identity
    tenant.cloud.delete("compute", f"{GROUPS}/{identity}")


def test_a_server_beside_another_is_in_its_pod(
    tenant: Tenant, zones: tuple[str, str], servers: dict[str, str]
) -> None:
    answer = create(tenant, {"same_host": [servers[zones[1]]]})

    assert answer.status == 202, answer.text
    assert tenant.home("compute", f"/servers/{answer.json['server']['id']}") == [zones[1]]


def test_servers_of_two_zones_share_no_host(
    tenant: Tenant, zones: tuple[str, str], servers: dict[str, str]
) -> None:
    apart = create(tenant, {"different_host": servers[zones[0]]}, availability_zone=zones[1])
    together = create(tenant, {"same_host": list(servers.values())})

    assert apart.status == 202, apart.text
    tenant.cloud.wait_for_server(apart.json["server"]["id"])
    assert together.status == 400
    assert all(zone in together.text for zone in zones)
    assert "Pod" not in together.text


def test_all_servers_of_a_reservation_are_found(tenant: Tenant, zones: tuple[str, str]) -> None:
    answer = create(
        tenant,
        name="reserved",
        availability_zone=zones[1],
        min_count=2,
        return_reservation_id=True,
    )

    reservation = answer.json["reservation_id"]
    path = f"/servers?reservation_id={reservation}"
    listed = tenant.cloud.read("compute", path)["servers"]
    assert len(listed) == 2
    for server in listed:
        assert tenant.home("compute", f"/servers/{server['id']}") == [zones[1]]
        assert tenant.cloud.has("compute", f"/servers/{server['id']}")


def test_a_host_of_an_administrator_names_its_pod(
    tenant: Tenant, zones: tuple[str, str], pods: list[Pod]
) -> None:
    host = f"{pods[1].name}~no-such-host"
    server = {"name": "h", "flavorRef": NANO, "imageRef": IMAGE, "networks": "none", "host": host}
    elsewhere = {"server": {**server, "availability_zone": zones[0]}}

    unknown = tenant.admin.post("compute", "/servers", {"server": server})
    refused = tenant.admin.post("compute", "/servers", elsewhere)

    assert unknown.status == 400
    assert "Compute host no-such-host could not be found" in unknown.text
    assert refused.status == 400
    assert all(zone in refused.text for zone in zones)


@pytest.mark.parametrize("group", ["anti-affinity"], indirect=True)
def test_anti_affinity_spreads_over_pods_under_one_id(
    tenant: Tenant, zones: tuple[str, str], group: str
) -> None:
    made = [create(tenant, {"group": group}, availability_zone=zone) for zone in zones]
    ids = [answer.json["server"]["id"] for answer in made]
    for server in ids:
        tenant.cloud.wait_for_server(server)

    shown = tenant.cloud.read("compute", f"{GROUPS}/{group}")["server_group"]
    listed = tenant.cloud.read("compute", GROUPS)["server_groups"]
    of_servers = [
        tenant.cloud.read("compute", f"/servers/{server}")["server"]["server_groups"]
        for server in ids
    ]
    deleted = tenant.cloud.delete("compute", f"{GROUPS}/{group}")

    assert (shown["id"], set(shown["members"])) == (group, set(ids))
    assert [entry for entry in listed if entry["id"] == group] == [shown]
    assert len(listed) == 1
    assert of_servers == [[group], [group]]
    assert deleted.status == 204
    assert tenant.cloud.get("compute", f"{GROUPS}/{group}").status == 404
    assert [pod.read("compute", GROUPS)["server_groups"] for pod in tenant.direct.values()] == [
        [],
        [],
    ]


@pytest.mark.parametrize("group", ["affinity"], indirect=True)
def test_affinity_stays_in_the_pod_of_the_first_member(
    tenant: Tenant, zones: tuple[str, str], group: str
) -> None:
    before = tenant.cloud.read("compute", f"{GROUPS}/{group}")["server_group"]
    first = create(tenant, {"group": group}, availability_zone=zones[1])
    second = create(tenant, {"group": group})
    refused = create(tenant, {"group": group}, availability_zone=zones[0])

    assert before["members"] == []
    homes = [
        tenant.home("compute", f"/servers/{answer.json['server']['id']}")
        for answer in (first, second)
    ]
    assert homes == [[zones[1]], [zones[1]]]
    assert refused.status == 400
    assert all(zone in refused.text for zone in zones)


def test_a_volume_nova_made_is_found_when_it_is_used(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    device = {
        "boot_index": 0,
        "uuid": IMAGE,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
        "delete_on_termination": True,
    }
    server = tenant.cloud.create_server(
        "from-volume", zones[1], networks="none", block_device_mapping_v2=[device]
    )
    shown = tenant.cloud.wait_for_server(server)
    [disk] = shown["os-extended-volumes:volumes_attached"]

    volume = tenant.cloud.read("volume", f"/volumes/{disk['id']}")["volume"]

    assert volume["availability_zone"] == zones[1]
    tenant.cloud.delete("compute", f"/servers/{server}")
    until(
        "gone",
        lambda: tenant.cloud.has("volume", f"/volumes/{disk['id']}"),
        lambda there: not there,
    )
