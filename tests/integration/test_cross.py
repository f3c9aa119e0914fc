"""Requests that name things of two pods, or of two projects, and Nova's proxies."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.cloud import IMAGE, Cloud, until
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

#: The last microversion of Nova's proxies.
PROXY = "2.35"
VOLUME = "3.70"


@pytest.fixture(scope="module")
def volumes(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One volume a zone."""
    made = {zone: tenant.cloud.create_volume(f"disk-{zone}", zone) for zone in zones}
    for volume in made.values():
        tenant.cloud.wait_for_volume(volume)
    return made


@pytest.fixture
def group_type(tenant: Tenant) -> Iterator[str]:
    """A type of groups; deleted with the test."""
    body = {"group_type": {"name": tenant.name, "is_public": True}}
    answer = tenant.admin.post("volume", "/group_types", body, version=VOLUME)
    assert answer.status == 202, answer.text
    identity = str(answer.json["group_type"]["id"])
    yield identity
    tenant.admin.delete("volume", f"/group_types/{identity}", version=VOLUME)


def test_a_volume_given_to_another_project_is_found_by_it(
    tenant: Tenant, new_tenant: Callable[[], Tenant], zones: tuple[str, str]
) -> None:
    taker = new_tenant()
    volume = tenant.cloud.create_volume("given", zones[1])
    tenant.cloud.wait_for_volume(volume)
    given = _offer(tenant.cloud, volume)

    accepted = _accept(taker.cloud, given)

    assert accepted.status == 202, accepted.text
    shown = taker.cloud.read("volume", f"/volumes/{volume}")["volume"]
    assert shown["availability_zone"] == zones[1]
    assert not tenant.cloud.has("volume", f"/volumes/{volume}")
    assert taker.cloud.delete("volume", f"/volumes/{volume}").status == 202


def test_a_transfer_that_the_gateway_never_saw_is_accepted(
    tenant: Tenant, new_tenant: Callable[[], Tenant], zones: tuple[str, str]
) -> None:
    taker, inside = new_tenant(), tenant.direct[zones[1]]
    volume = inside.create_volume("given-inside")
    inside.wait_for_volume(volume)
    given = _offer(inside, volume)

    accepted = _accept(taker.cloud, given)

    assert accepted.status == 202, accepted.text
    assert taker.cloud.delete("volume", f"/volumes/{volume}").status == 202


def test_a_group_takes_volumes_of_its_pod_only(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str], group_type: str
) -> None:
    body = {
        "group": {
            "name": "g",
            "group_type": group_type,
            "volume_types": ["lab"],
            "availability_zone": zones[1],
        }
    }
    made = tenant.cloud.post("volume", "/groups", body, version=VOLUME)
    assert made.status == 202, made.text
    path = f"/groups/{made.json['group']['id']}"

    foreign = {"group": {"name": "h", "add_volumes": f"{volumes[zones[1]]},{volumes[zones[0]]}"}}
    refused = tenant.cloud.put("volume", path, foreign, version=VOLUME)

    assert refused.status == 400
    assert all(zone in refused.text for zone in zones)
    until("made", lambda: _group(tenant.cloud, path), lambda status: status != "creating")
    deleted = tenant.cloud.post(
        "volume", f"{path}/action", {"delete": {"delete-volumes": True}}, version=VOLUME
    )
    assert deleted.status == 202, deleted.text
    until("gone", lambda: _group(tenant.cloud, path), lambda status: status == "")


def test_an_attachment_is_refused_across_pods(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    server = tenant.cloud.create_server("near", zones[0], networks="none")
    body = {"attachment": {"volume_uuid": volumes[zones[1]], "instance_uuid": server}}

    answer = tenant.cloud.post("volume", "/attachments", body, version=VOLUME)

    assert answer.status == 400
    assert all(zone in answer.text for zone in zones)


def test_an_interface_is_refused_across_pods(tenant: Tenant, zones: tuple[str, str]) -> None:
    server = tenant.cloud.create_server("unplugged", zones[0], networks="none")
    tenant.cloud.wait_for_server(server)
    [network] = tenant.direct[zones[1]].read("network", "/networks?name=lab-net")["networks"]
    body = {"interfaceAttachment": {"net_id": network["id"]}}

    answer = tenant.cloud.post("compute", f"/servers/{server}/os-interface", body)

    assert answer.status == 400
    assert all(zone in answer.text for zone in zones)


def test_volumes_hints_hold_over_pods(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    def asked(zone: str, **hints: object) -> Any:
        body = {"size": 1, "name": "hinted", **({"availability_zone": zone} if zone else {})}
        return tenant.cloud.post(
            "volume", "/volumes", {"volume": body, "OS-SCH-HNT:scheduler_hints": hints}
        )

    apart = asked(zones[0], different_host=[volumes[zones[1]]])
    beside = asked("", same_host=[volumes[zones[1]]])
    torn = asked(zones[0], same_host=[volumes[zones[1]]])

    assert (apart.status, beside.status, torn.status) == (202, 202, 400)
    assert tenant.home("volume", f"/volumes/{apart.json['volume']['id']}") == [zones[0]]
    assert tenant.home("volume", f"/volumes/{beside.json['volume']['id']}") == [zones[1]]
    for answer in (apart, beside):
        tenant.cloud.wait_for_volume(answer.json["volume"]["id"])


def test_novas_volumes_are_cinders(tenant: Tenant, zones: tuple[str, str]) -> None:
    body = {"volume": {"size": 1, "display_name": "old", "availability_zone": zones[1]}}

    made = tenant.cloud.post("compute", "/os-volumes", body, version=PROXY)

    assert made.status == 200, made.text
    volume = made.json["volume"]["id"]
    tenant.cloud.wait_for_volume(volume)
    shown = tenant.cloud.read("compute", f"/os-volumes/{volume}", version=PROXY)["volume"]
    listed = tenant.cloud.read("compute", "/os-volumes/detail", version=PROXY)["volumes"]
    deleted = tenant.cloud.delete("compute", f"/os-volumes/{volume}", version=PROXY)
    assert tenant.home("volume", f"/volumes/{volume}") in ([zones[1]], [])
    assert made.json["volume"]["availabilityZone"] == shown["availabilityZone"] == zones[1]
    assert volume in [entry["id"] for entry in listed]
    assert deleted.status == 202
    assert tenant.cloud.get("compute", f"/os-volumes/{volume}", version="2.36").status == 404


def test_novas_security_groups_are_neutrons(tenant: Tenant) -> None:
    body = {"security_group": {"name": "old", "description": "old"}}
    made = tenant.cloud.post("compute", "/os-security-groups", body, version=PROXY)
    assert made.status == 200, made.text
    group = made.json["security_group"]["id"]
    rule = {
        "parent_group_id": group,
        "ip_protocol": "tcp",
        "from_port": 1,
        "to_port": 2,
        "cidr": "0.0.0.0/0",
    }

    added = tenant.cloud.post(
        "compute", "/os-security-group-rules", {"security_group_rule": rule}, version=PROXY
    )
    shown = tenant.cloud.read("compute", f"/os-security-groups/{group}", version=PROXY)
    of_neutron = tenant.cloud.has("network", f"/security-groups/{group}")
    dropped = tenant.cloud.delete(
        "compute",
        f"/os-security-group-rules/{added.json['security_group_rule']['id']}",
        version=PROXY,
    )
    deleted = tenant.cloud.delete("compute", f"/os-security-groups/{group}", version=PROXY)

    assert added.status == 200
    assert [entry["from_port"] for entry in shown["security_group"]["rules"]] == [1]
    assert of_neutron
    assert (dropped.status, deleted.status) == (202, 202)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/images", "images"),
        ("/images/detail", "images"),
        (f"/images/{IMAGE}", "image"),
        (f"/images/{IMAGE}/metadata", "metadata"),
        ("/os-networks", "networks"),
        ("/os-tenant-networks", "networks"),
        ("/os-floating-ips", "floating_ips"),
        ("/os-floating-ip-pools", "floating_ip_pools"),
        ("/os-security-groups", "security_groups"),
        ("/os-snapshots", "snapshots"),
        ("/os-snapshots/detail", "snapshots"),
        ("/os-volumes", "volumes"),
        ("/os-volumes_boot", "servers"),
        ("/os-volumes_boot/detail", "servers"),
    ],
)
def test_novas_proxies_answer(tenant: Tenant, path: str, key: str) -> None:
    assert key in tenant.cloud.read("compute", path, version=PROXY)


def _offer(cloud: Cloud, volume: str) -> dict[str, str]:
    answer = cloud.post(
        "volume", "/volume-transfers", {"transfer": {"volume_id": volume}}, version=VOLUME
    )
    assert answer.status == 202, answer.text
    return dict(answer.json["transfer"])


def _accept(cloud: Cloud, given: dict[str, str]) -> Any:
    path = f"/volume-transfers/{given['id']}/accept"
    return cloud.post("volume", path, {"accept": {"auth_key": given["auth_key"]}}, version=VOLUME)


def _group(cloud: Cloud, path: str) -> str:
    answer = cloud.get("volume", path, version=VOLUME)
    return "" if answer.status == 404 else str(answer.json["group"]["status"])
