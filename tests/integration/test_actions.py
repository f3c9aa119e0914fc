"""Actions against real pods."""

import pytest

from tests.integration.cloud import NANO, until
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant
from tests.openstack.pod import Pod

pytestmark = pytest.mark.openstack


@pytest.fixture(scope="module")
def server(tenant: Tenant, zones: tuple[str, str]) -> str:
    """A server in the second zone."""
    made = tenant.cloud.create_server("acted-on", zones[1], networks="none")
    tenant.cloud.wait_for_server(made)
    return made


@pytest.fixture(scope="module")
def volume(tenant: Tenant, zones: tuple[str, str]) -> str:
    """A volume in the second zone."""
    made = tenant.cloud.create_volume("acted-on", zones[1])
    tenant.cloud.wait_for_volume(made)
    return made


def test_a_rebuild_answers_in_the_users_words(
    tenant: Tenant, zones: tuple[str, str], gateway: Gateway, server: str
) -> None:
    image = tenant.cloud.read("compute", f"/servers/{server}")["server"]["image"]["id"]
    body = {"rebuild": {"imageRef": image}}

    answer = tenant.cloud.post("compute", f"/servers/{server}/action", body)

    assert answer.status == 202, answer.text
    assert all(link["href"].startswith(gateway.url) for link in answer.json["server"]["links"])
    assert tenant.cloud.wait_for_server(server)["OS-EXT-AZ:availability_zone"] == zones[1]


@pytest.mark.parametrize("version", ["2.1", "2.90"])
def test_an_image_of_a_server_is_found(
    tenant: Tenant, gateway: Gateway, server: str, version: str
) -> None:
    tenant.cloud.wait_for_server(server)
    body = {"createImage": {"name": f"of-server-{version}"}}

    answer = tenant.cloud.post("compute", f"/servers/{server}/action", body, version=version)

    assert answer.status == 202, answer.text
    location = answer.headers["Location"] or ""
    assert not location or location.startswith(gateway.url)
    image = answer.json["image_id"] if version == "2.90" else location.rpartition("/")[2]
    until(
        "image",
        lambda: tenant.cloud.read("image", f"/images/{image}")["status"],
        lambda status: bool(status == "active"),
    )
    assert tenant.cloud.delete("image", f"/images/{image}").status == 204


def test_a_server_is_resized_in_its_pod(tenant: Tenant, server: str) -> None:
    tenant.cloud.wait_for_server(server)
    path = f"/servers/{server}/action"

    unknown = tenant.cloud.post("compute", path, {"resize": {"flavorRef": "no-such-flavor"}})
    resized = tenant.cloud.post("compute", path, {"resize": {"flavorRef": "84"}})
    tenant.cloud.wait_for_server(server, "VERIFY_RESIZE")
    reverted = tenant.cloud.post("compute", path, {"revertResize": None})

    assert (unknown.status, resized.status, reverted.status) == (400, 202, 202)
    assert tenant.cloud.wait_for_server(server)["flavor"]["original_name"] != ""


def test_a_shelved_server_returns_to_its_zone_and_to_no_other(
    tenant: Tenant, zones: tuple[str, str], server: str
) -> None:
    tenant.cloud.wait_for_server(server)
    path = f"/servers/{server}/action"
    assert tenant.cloud.post("compute", path, {"shelve": None}).status == 202
    tenant.cloud.wait_for_server(server, "SHELVED_OFFLOADED")

    bodies = [{"unshelve": {"availability_zone": zone}} for zone in zones]
    refused, accepted = (tenant.cloud.post("compute", path, body) for body in bodies)

    assert refused.status == 400
    assert all(zone in refused.text for zone in zones)
    assert accepted.status == 202, accepted.text
    assert tenant.cloud.wait_for_server(server)["OS-EXT-AZ:availability_zone"] == zones[1]


@pytest.mark.parametrize("action", ["os-migrateLive", "evacuate", "migrate"])
def test_no_server_moves_to_a_host_of_another_pod(
    tenant: Tenant, zones: tuple[str, str], pods: list[Pod], server: str, action: str
) -> None:
    rest = {"block_migration": "auto"} if action == "os-migrateLive" else {}
    body = {action: {"host": f"{pods[0].name}~compute1", **rest}}

    answer = tenant.admin.post("compute", f"/servers/{server}/action", body)

    assert answer.status == 400
    assert zones[0] in answer.json["badRequest"]["message"]


@pytest.mark.parametrize(
    "body", [{"no-such-action": None}, {"os-start": None, "os-stop": None}, {"resize": {}}]
)
def test_errors_are_the_pods_own(
    tenant: Tenant, zones: tuple[str, str], server: str, body: object
) -> None:
    path = f"/servers/{server}/action"

    through = tenant.cloud.post("compute", path, body)
    straight = tenant.direct[zones[1]].post("compute", path, body)

    assert (through.status, through.json) == (straight.status, straight.json)


def test_what_nova_removed_is_gone(tenant: Tenant, zones: tuple[str, str], server: str) -> None:
    path = f"/servers/{server}/action"

    through = tenant.cloud.post("compute", path, {"resetNetwork": None})
    straight = tenant.direct[zones[1]].post("compute", path, {"resetNetwork": None})

    assert through.status == straight.status == 410
    assert through.json.keys() == straight.json.keys()


def test_a_volume_is_retyped_by_the_id_users_know(
    tenant: Tenant, zones: tuple[str, str], volume: str
) -> None:
    types = tenant.cloud.read("volume", "/types")["volume_types"]
    [lab2] = [entry for entry in types if entry["name"] == "lab2"]
    body = {"os-retype": {"new_type": lab2["id"], "migration_policy": "on-demand"}}

    answer = tenant.cloud.post("volume", f"/volumes/{volume}/action", body)

    assert answer.status == 202, answer.text
    until(
        "retyped",
        lambda: tenant.direct[zones[1]].read("volume", f"/volumes/{volume}")["volume"],
        lambda shown: bool(shown["volume_type"] == "lab2" and shown["status"] == "available"),
    )


def test_a_volume_becomes_an_image_that_is_found(tenant: Tenant, volume: str) -> None:
    tenant.cloud.wait_for_volume(volume)
    upload = {"image_name": "of-volume", "disk_format": "raw", "container_format": "bare"}

    answer = tenant.cloud.post(
        "volume", f"/volumes/{volume}/action", {"os-volume_upload_image": upload}
    )

    assert answer.status == 202, answer.text
    image = answer.json["os-volume_upload_image"]["image_id"]
    assert tenant.cloud.read("image", f"/images/{image}")["name"] == "of-volume"
    tenant.cloud.wait_for_volume(volume)
    assert tenant.cloud.delete("image", f"/images/{image}").status == 204


def test_a_server_cannot_be_attached_to_from_another_pod(
    tenant: Tenant, zones: tuple[str, str], volume: str
) -> None:
    other = tenant.cloud.create_server("far", zones[0], flavorRef=NANO, networks="none")
    tenant.cloud.wait_for_server(other)
    body = {"os-attach": {"instance_uuid": other, "mountpoint": "/dev/vdb"}}

    answer = tenant.admin.post("volume", f"/volumes/{volume}/action", body)

    assert answer.status == 400
    assert all(zone in answer.text for zone in zones)
