"""Groups of volumes through the gateway, the generic ones and the older consistency groups."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

LATEST = "3.71"
TYPES = ("lab", "lab2")


@pytest.fixture(scope="module")
def group_type(tenant: Tenant) -> Iterator[str]:
    """A type of groups in all pods."""
    body = {"group_type": {"name": tenant.name}}
    made = tenant.admin.post("volume", "/group_types", body, version=LATEST)
    assert made.status == 202, made.text
    yield made.json["group_type"]["id"]
    path = f"/group_types/{made.json['group_type']['id']}"
    tenant.admin.delete("volume", path, version=LATEST)


@pytest.fixture(scope="module")
def group(tenant: Tenant, zones: tuple[str, str], group_type: str) -> Iterator[str]:
    """A group of volumes of two types, in the second pod."""
    kinds = tenant.cloud.read("volume", "/types")["volume_types"]
    fields = {
        "name": "together",
        "group_type": group_type,
        "volume_types": [kind["id"] for kind in kinds if kind["name"] in TYPES],
        "availability_zone": zones[1],
    }
    group = _made(tenant.cloud, "/groups", "group", fields)
    for kind in TYPES:
        body = {"name": f"of-{kind}", "size": 1, "volume_type": kind, "group_id": group}
        answer = tenant.cloud.post("volume", "/volumes", {"volume": body}, version=LATEST)
        assert answer.status == 202, answer.text
        tenant.cloud.wait_for_volume(answer.json["volume"]["id"])
    yield group
    _end(tenant.cloud, group)


def test_members_of_several_types_are_where_the_group_is(
    tenant: Tenant, zones: tuple[str, str], group: str, group_type: str
) -> None:
    path = f"/groups/{group}?list_volume=True"

    shown = tenant.cloud.read("volume", path, version=LATEST)["group"]

    inside = tenant.direct[zones[1]].read("volume", path, version=LATEST)["group"]
    assert sorted(shown["volumes"]) == sorted(inside["volumes"])
    assert len(shown["volumes"]) == len(TYPES)
    assert (shown["group_type"], shown["availability_zone"]) == (group_type, zones[1])


def test_a_volume_joins_and_leaves_a_group_of_its_zone_only(
    tenant: Tenant, zones: tuple[str, str], group: str
) -> None:
    path = f"/groups/{group}"
    volumes = {zone: tenant.cloud.create_volume("free", zone) for zone in zones}
    for volume in volumes.values():
        tenant.cloud.wait_for_volume(volume)

    def change(verb: str, zone: str) -> int:
        body = {"group": {f"{verb}_volumes": volumes[zone]}}
        status = tenant.cloud.put("volume", path, body, version=LATEST).status
        _reaches(tenant.cloud, path, "available")
        return status

    assert change("add", zones[0]) == 400
    assert change("add", zones[1]) == 202
    assert change("remove", zones[1]) == 202


def test_a_snapshot_of_a_group_is_listed_as_its_pod_lists_it(
    tenant: Tenant, zones: tuple[str, str], group: str
) -> None:
    fields = {"group_id": group, "name": "moment"}
    snapshot = _made(tenant.cloud, "/group_snapshots", "group_snapshot", fields)
    path = f"/group_snapshots/{snapshot}"

    brief = tenant.cloud.read("volume", "/group_snapshots", version=LATEST)

    assert brief == tenant.direct[zones[1]].read("volume", "/group_snapshots", version=LATEST)
    assert brief["group_snapshots"] == [{"id": snapshot, "name": "moment"}]
    again = _copied(tenant.cloud, {"group_snapshot_id": snapshot})
    _end(tenant.cloud, again)
    assert tenant.cloud.delete("volume", path, version=LATEST).status == 202
    _gone(tenant.cloud, path)


def test_a_group_made_of_a_group_has_members_of_its_own_in_the_same_pod(
    tenant: Tenant, zones: tuple[str, str], group: str
) -> None:
    copy = _copied(tenant.cloud, {"source_group_id": group})

    path = f"/groups/{copy}?list_volume=True"
    volumes = tenant.cloud.read("volume", path, version=LATEST)["group"]["volumes"]

    assert len(volumes) == len(TYPES)
    assert [tenant.home("volume", f"/volumes/{volume}") for volume in volumes] == [
        [zones[1]] for _ in TYPES
    ]
    _end(tenant.cloud, copy)


@pytest.mark.parametrize(
    "action", ["enable_replication", "disable_replication", "list_replication_targets"]
)
def test_replication_is_answered_as_in_the_pod(
    tenant: Tenant, zones: tuple[str, str], group: str, action: str
) -> None:
    path = f"/groups/{group}/action"

    answer = tenant.admin.post("volume", path, {action: {}}, version=LATEST)

    inside = tenant.direct_admin[zones[1]].post("volume", path, {action: {}}, version=LATEST)
    assert (answer.status, answer.json) == (inside.status, inside.json)


def test_a_consistency_group_lives_in_one_pod_from_create_to_delete(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    fields = {"name": "old", "volume_types": "lab,lab2", "availability_zone": zones[1]}
    group = _made(tenant.cloud, "/consistencygroups", "consistencygroup", fields)
    path = f"/consistencygroups/{group}"
    member = tenant.cloud.create_volume("m", volume_type="lab", consistencygroup_id=group)
    tenant.cloud.wait_for_volume(member)

    assert tenant.home("volume", path) == [zones[1]]
    assert tenant.home("volume", f"/volumes/{member}") == [zones[1]]
    listed = tenant.cloud.read("volume", "/consistencygroups")["consistencygroups"]
    # Cinder lists all groups under the older name, and so does the gateway.
    inside = tenant.direct[zones[1]].read("volume", "/consistencygroups")["consistencygroups"]
    assert {"id": group, "name": "old"} in listed
    assert listed == inside
    snapshot = _made(
        tenant.cloud, "/cgsnapshots", "cgsnapshot", {"consistencygroup_id": group, "name": "s"}
    )
    assert tenant.home("volume", f"/cgsnapshots/{snapshot}") == [zones[1]]
    assert tenant.cloud.delete("volume", f"/cgsnapshots/{snapshot}").status == 202
    _gone(tenant.cloud, f"/cgsnapshots/{snapshot}")
    ended = tenant.cloud.post("volume", f"{path}/delete", {"consistencygroup": {"force": True}})
    assert ended.status == 202
    _gone(tenant.cloud, path)


def _made(cloud: Cloud, path: str, key: str, fields: dict[str, Any]) -> str:
    answer = cloud.post("volume", path, {key: fields}, version=LATEST)
    assert answer.status == 202, answer.text
    made = str(answer.json[key]["id"])
    _reaches(cloud, f"{path}/{made}", "available")
    return made


def _copied(cloud: Cloud, source: dict[str, str]) -> str:
    body = {"create-from-src": {"name": "copy", **source}}
    answer = cloud.post("volume", "/groups/action", body, version=LATEST)
    assert answer.status == 202, answer.text
    copy = str(answer.json["group"]["id"])
    _reaches(cloud, f"/groups/{copy}", "available")
    return copy


def _end(cloud: Cloud, group: str) -> None:
    body = {"delete": {"delete-volumes": True}}
    assert cloud.post("volume", f"/groups/{group}/action", body, version=LATEST).status == 202
    _gone(cloud, f"/groups/{group}")


def _reaches(cloud: Cloud, path: str, status: str) -> None:
    def ask() -> str:
        [item] = cloud.read("volume", path, version=LATEST).values()
        return str(item["status"])

    until(f"{path} {status}", ask, lambda found: found == status)


def _gone(cloud: Cloud, path: str) -> None:
    def ask() -> int:
        return cloud.get("volume", path, version=LATEST).status

    until(f"{path} gone", ask, lambda status: status == 404)
