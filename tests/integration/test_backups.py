"""Backups through the gateway: where they are, what is restored, records that leave and return."""

import base64
import json
from uuid import uuid4

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

#: Shows metadata, owners, and the count of a list.
LATEST = "3.71"


@pytest.fixture(scope="module")
def volumes(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One volume a zone, with metadata of its own."""
    made = {
        zone: tenant.cloud.create_volume(f"saved-{zone}", zone, metadata={"from": zone})
        for zone in zones
    }
    for volume in made.values():
        tenant.cloud.wait_for_volume(volume)
    return made


@pytest.fixture(scope="module")
def backups(tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]) -> dict[str, str]:
    """One backup a zone."""
    return {zone: _back_up(tenant.cloud, volumes[zone], name=f"whole-{zone}") for zone in zones}


@pytest.mark.parametrize("which", [0, 1])
def test_a_backup_is_where_its_volume_is(
    tenant: Tenant, zones: tuple[str, str], backups: dict[str, str], which: int
) -> None:
    zone = zones[which]
    path = f"/backups/{backups[zone]}"

    shown = tenant.cloud.read("volume", path)["backup"]

    assert tenant.home("volume", path) == [zone]
    assert shown["availability_zone"] == zone


def test_a_part_is_saved_beside_the_whole_which_then_stays(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str], backups: dict[str, str]
) -> None:
    zone = zones[1]
    part = _back_up(tenant.cloud, volumes[zone], name="part", incremental=True)

    refused = tenant.cloud.delete("volume", f"/backups/{backups[zone]}")

    assert tenant.home("volume", f"/backups/{part}") == [zone]
    assert tenant.cloud.read("volume", f"/backups/{part}")["backup"]["is_incremental"]
    assert refused.status == 400
    _delete(tenant.cloud, part)


def test_a_backup_of_a_snapshot_names_it(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    body = {"snapshot": {"volume_id": volumes[zones[1]], "name": "saved"}}
    snapshot = tenant.cloud.post("volume", "/snapshots", body).json["snapshot"]["id"]
    _reaches(tenant.cloud, f"/snapshots/{snapshot}", "available")

    backup = _back_up(tenant.cloud, volumes[zones[1]], name="of", snapshot_id=snapshot)

    shown = tenant.cloud.read("volume", f"/backups/{backup}")["backup"]
    assert shown["snapshot_id"] == snapshot
    _delete(tenant.cloud, backup)


def test_a_zone_that_the_volume_is_not_in_is_refused(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    body = {"backup": {"volume_id": volumes[zones[1]], "availability_zone": zones[0]}}

    answer = tenant.cloud.post("volume", "/backups", body, version=LATEST)

    assert answer.status == 400


def test_what_is_restored_is_a_new_volume_of_the_same_zone(
    tenant: Tenant, zones: tuple[str, str], backups: dict[str, str]
) -> None:
    zone = zones[1]

    volume = _restore(tenant.cloud, backups[zone], {"name": "back"})

    shown = tenant.cloud.wait_for_volume(volume)
    assert tenant.home("volume", f"/volumes/{volume}") == [zone]
    assert (shown["name"], shown["metadata"]["from"]) == ("back", zone)
    listed = tenant.cloud.read("volume", "/volumes?name=back")["volumes"]
    assert [entry["id"] for entry in listed] == [volume]


def test_a_backup_is_restored_over_a_volume_of_its_zone_only(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str], backups: dict[str, str]
) -> None:
    over = tenant.cloud.create_volume("over", zones[1])
    tenant.cloud.wait_for_volume(over)
    body = {"restore": {"volume_id": volumes[zones[0]]}}

    restored = _restore(tenant.cloud, backups[zones[1]], {"volume_id": over})
    torn = tenant.cloud.post("volume", f"/backups/{backups[zones[1]]}/restore", body)

    assert restored == over
    assert tenant.cloud.wait_for_volume(over)["metadata"]["from"] == zones[1]
    assert torn.status == 400
    assert all(zone in torn.text for zone in zones)


def test_a_volume_is_made_of_a_backup_in_its_zone(
    tenant: Tenant, zones: tuple[str, str], backups: dict[str, str]
) -> None:
    body = {"volume": {"name": "made of", "size": 1, "backup_id": backups[zones[1]]}}

    answer = tenant.cloud.post("volume", "/volumes", body, version=LATEST)

    assert answer.status == 202
    volume = answer.json["volume"]["id"]
    assert tenant.home("volume", f"/volumes/{volume}") == [zones[1]]
    _reaches(tenant.cloud, f"/backups/{backups[zones[1]]}", "available")


def test_backups_of_both_pods_are_one_list_in_pages(
    tenant: Tenant, zones: tuple[str, str], backups: dict[str, str]
) -> None:
    path, seen = "/backups?limit=1&sort_key=name&sort_dir=desc&with_count=True", []

    page = tenant.cloud.read("volume", path, version=LATEST)
    count = page["count"]
    while page["backups"]:
        seen += [entry["id"] for entry in page["backups"]]
        next_path = f"{path}&marker={seen[-1]}"
        page = tenant.cloud.read("volume", next_path, version=LATEST)

    assert seen == [backups[zone] for zone in sorted(zones, reverse=True)]
    assert count == 2


def test_a_record_returns_to_the_pod_it_was_taken_from(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    backup = _back_up(tenant.cloud, volumes[zones[1]], name="record")
    record = tenant.admin.read("volume", f"/backups/{backup}/export_record")
    taken = tenant.admin.post("volume", "/backups/import_record", record)
    _delete(tenant.cloud, backup)

    again = tenant.admin.post("volume", "/backups/import_record", record)

    assert taken.status == 400
    assert (again.status, again.json["backup"]["id"]) == (201, backup)
    _reaches(tenant.cloud, f"/backups/{backup}", "available")
    assert tenant.home("volume", f"/backups/{backup}") == [zones[1]]
    _delete(tenant.cloud, backup)


def test_a_record_with_an_id_of_its_own_is_one_more_backup(
    tenant: Tenant, zones: tuple[str, str], backups: dict[str, str]
) -> None:
    path, chosen = f"/backups/{backups[zones[1]]}/export_record", str(uuid4())
    record = tenant.admin.read("volume", path)["backup-record"]
    fields = json.loads(base64.b64decode(record["backup_url"])) | {"id": chosen}
    record["backup_url"] = base64.b64encode(json.dumps(fields).encode()).decode()

    made = tenant.admin.post("volume", "/backups/import_record", {"backup-record": record})

    assert (made.status, made.json["backup"]["id"]) == (201, chosen)
    _reaches(tenant.cloud, f"/backups/{chosen}", "available")
    assert len(tenant.home("volume", f"/backups/{chosen}")) == 1
    _delete(tenant.cloud, chosen)


def test_a_backup_in_error_is_deleted_by_force(
    tenant: Tenant, zones: tuple[str, str], volumes: dict[str, str]
) -> None:
    backup = _back_up(tenant.cloud, volumes[zones[1]], name="broken")
    path = f"/backups/{backup}"
    action = f"{path}/action"

    reset = tenant.admin.post("volume", action, {"os-reset_status": {"status": "error"}})
    _reaches(tenant.cloud, path, "error")
    forbidden = tenant.cloud.post("volume", action, {"os-force_delete": {}})
    forced = tenant.admin.post("volume", action, {"os-force_delete": {}})

    assert (reset.status, forbidden.status, forced.status) == (202, 403, 202)
    until("gone", lambda: tenant.cloud.has("volume", path), lambda there: not there)
    assert tenant.home("volume", path) == []


def test_a_backup_that_fails_says_why(tenant: Tenant, zones: tuple[str, str]) -> None:
    volume = tenant.cloud.create_volume("lost", zones[1], metadata={"lab_fail": "backup"})
    tenant.cloud.wait_for_volume(volume)

    answer = tenant.cloud.post("volume", "/backups", {"backup": {"volume_id": volume}})

    path = f"/backups/{answer.json['backup']['id']}"
    _reaches(tenant.cloud, path, "error")
    reason = tenant.cloud.read("volume", path)["backup"]["fail_reason"]
    assert "lab_fail=backup" in reason
    assert tenant.cloud.wait_for_volume(volume)["status"] == "available"


def _back_up(cloud: Cloud, volume: str, **fields: object) -> str:
    answer = cloud.post("volume", "/backups", {"backup": {"volume_id": volume, **fields}})
    assert answer.status == 202, answer.text
    backup = str(answer.json["backup"]["id"])
    _reaches(cloud, f"/backups/{backup}", "available")
    return backup


def _restore(cloud: Cloud, backup: str, into: dict[str, str]) -> str:
    answer = cloud.post("volume", f"/backups/{backup}/restore", {"restore": into})
    assert answer.status == 202, answer.text
    _reaches(cloud, f"/backups/{backup}", "available")
    volume = str(answer.json["restore"]["volume_id"])
    cloud.wait_for_volume(volume)
    return volume


def _delete(cloud: Cloud, backup: str) -> None:
    path = f"/backups/{backup}"
    assert cloud.delete("volume", path).status == 202
    until("gone", lambda: cloud.has("volume", path), lambda there: not there)


def _reaches(cloud: Cloud, path: str, status: str) -> None:
    def ask() -> str:
        [item] = cloud.read("volume", path).values()
        return str(item["status"])

    until(f"{path} {status}", ask, lambda found: found == status)
