"""Volumes through the gateway: zones, attachments, snapshots, booting from one."""

import pytest

from tests.integration.cloud import IMAGE, until
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack


@pytest.fixture(scope="module")
def servers(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One server a zone."""
    made = {zone: tenant.cloud.create_server(f"with-disk-{zone}", zone) for zone in zones}
    for server in made.values():
        tenant.cloud.wait_for_server(server)
    return made


@pytest.fixture(scope="module")
def volumes(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One volume a zone."""
    made = {zone: tenant.cloud.create_volume(f"disk-{zone}", zone) for zone in zones}
    for volume in made.values():
        tenant.cloud.wait_for_volume(volume)
    return made


@pytest.mark.parametrize("which", [0, 1])
def test_a_create_lands_in_the_pod_of_its_zone(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str], which: int
) -> None:
    zone = zones[which]
    path = f"/volumes/{volumes[zone]}"

    shown = tenant.cloud.read("volume", path)["volume"]

    assert tenant.home("volume", path) == [zone]
    assert shown["availability_zone"] == zone


def test_every_field_of_a_create_arrives_unchanged(tenant: Tenant, zones: tuple[str, str]) -> None:
    fields = {"description": "ünïcode", "metadata": {"purpose": "test"}, "volume_type": "lab2"}

    volume = tenant.cloud.create_volume("full", zones[1], size=3, **fields)

    inside = tenant.direct[zones[1]].wait_for_volume(volume)
    assert {key: inside[key] for key in fields} == fields
    assert inside["size"] == 3


def test_a_volume_is_attached_within_its_zone_and_detached(
    tenant: Tenant, zones: tuple[str, str], servers: dict[str, str], volumes: dict[str, str]
) -> None:
    zone = zones[1]
    path, volume = f"/servers/{servers[zone]}/os-volume_attachments", volumes[zone]
    body = {"volumeAttachment": {"volumeId": volume}}

    attached = tenant.cloud.post("compute", path, body)

    assert attached.status == 200
    shown = tenant.cloud.wait_for_volume(volume, "in-use")
    assert [entry["server_id"] for entry in shown["attachments"]] == [servers[zone]]
    listed = tenant.cloud.read("compute", path)["volumeAttachments"]
    assert [entry["volumeId"] for entry in listed] == [volume]
    assert tenant.cloud.delete("compute", f"{path}/{volume}").status == 202
    tenant.cloud.wait_for_volume(volume, "available")


def test_a_volume_of_another_zone_is_refused_with_both_zones_named(
    tenant: Tenant, zones: tuple[str, str], servers: dict[str, str], volumes: dict[str, str]
) -> None:
    path = f"/servers/{servers[zones[0]]}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": volumes[zones[1]]}}

    answer = tenant.cloud.post("compute", path, body)

    assert answer.status == 400
    fault = answer.json["badRequest"]
    assert fault["code"] == 400
    assert all(zone in fault["message"] for zone in zones)
    assert "Pod" not in answer.text


def test_a_server_cannot_boot_from_a_volume_of_another_zone(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    body = {
        "name": "torn",
        "flavorRef": "42",
        "networks": "auto",
        "availability_zone": zones[0],
        "block_device_mapping_v2": [_boot_from(volumes[zones[1]])],
    }

    answer = tenant.cloud.post("compute", "/servers", {"server": body})

    assert answer.status == 400
    assert answer.json["badRequest"]["code"] == 400


@pytest.mark.parametrize("which", [0, 1])
def test_a_server_boots_where_its_volume_is_when_no_zone_is_named(
    tenant: Tenant, zones: tuple[str, str], which: int
) -> None:
    zone = zones[which]
    volume = tenant.cloud.create_volume("root", zone, imageRef=IMAGE)
    tenant.cloud.wait_for_volume(volume)

    server = tenant.cloud.create_server("booted", block_device_mapping_v2=[_boot_from(volume)])

    shown = tenant.cloud.wait_for_server(server)
    assert tenant.home("compute", f"/servers/{server}") == [zone]
    assert [disk["id"] for disk in shown["os-extended-volumes:volumes_attached"]] == [volume]


def test_a_snapshot_is_where_its_volume_is(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    body = {"snapshot": {"volume_id": volumes[zones[1]], "name": "moment"}}

    answer = tenant.cloud.post("volume", "/snapshots", body)

    assert answer.status == 202
    path = f"/snapshots/{answer.json['snapshot']['id']}"
    until(
        "snapshot",
        lambda: tenant.cloud.read("volume", path)["snapshot"]["status"],
        lambda status: bool(status == "available"),
    )
    assert tenant.home("volume", path) == [zones[1]]


def test_a_volume_from_a_snapshot_is_where_the_snapshot_is(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    body = {"snapshot": {"volume_id": volumes[zones[1]], "name": "source"}}
    snapshot = tenant.cloud.post("volume", "/snapshots", body).json["snapshot"]["id"]
    until(
        "snapshot",
        lambda: tenant.cloud.read("volume", f"/snapshots/{snapshot}")["snapshot"]["status"],
        lambda status: bool(status == "available"),
    )

    volume = tenant.cloud.create_volume("restored", snapshot_id=snapshot)

    assert tenant.home("volume", f"/volumes/{volume}") == [zones[1]]
    tenant.cloud.wait_for_volume(volume)


def test_a_clone_is_where_its_source_is(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    volume = tenant.cloud.create_volume("clone", source_volid=volumes[zones[1]])

    assert tenant.home("volume", f"/volumes/{volume}") == [zones[1]]
    tenant.cloud.wait_for_volume(volume)


def test_a_volume_grows_in_its_pod(tenant: Tenant, zones: tuple[str, str]) -> None:
    volume = tenant.cloud.create_volume("growing", zones[1])
    tenant.cloud.wait_for_volume(volume)

    body = {"os-extend": {"new_size": 2}}
    answer = tenant.cloud.post("volume", f"/volumes/{volume}/action", body)

    assert answer.status == 202
    until(
        "two GiB",
        lambda: tenant.direct[zones[1]].read("volume", f"/volumes/{volume}")["volume"]["size"],
        lambda size: bool(size == 2),
    )


def test_a_deleted_volume_is_gone_everywhere(tenant: Tenant, zones: tuple[str, str]) -> None:
    volume = tenant.cloud.create_volume("short-lived", zones[1])
    tenant.cloud.wait_for_volume(volume)
    path = f"/volumes/{volume}"

    answer = tenant.cloud.delete("volume", path)

    assert answer.status == 202
    until("gone", lambda: tenant.cloud.has("volume", path), lambda there: not there)
    assert tenant.home("volume", path) == []


def _boot_from(volume: str) -> dict[str, object]:
    return {
        "boot_index": 0,
        "uuid": volume,
        "source_type": "volume",
        "destination_type": "volume",
        "delete_on_termination": False,
    }
