"""Images and networks through the gateway: replicated where they are, placed where they belong."""

from uuid import uuid4

import pytest

from tests.integration.cloud import IMAGE
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack


def test_an_image_that_every_pod_has_is_listed_once(tenant: Tenant) -> None:
    images = tenant.cloud.read("image", "/images")["images"]

    assert [image["id"] for image in images].count(IMAGE) == 1


def test_an_image_is_shown_and_read(tenant: Tenant, zones: tuple[str, str]) -> None:
    shown = tenant.cloud.read("image", f"/images/{IMAGE}")
    data = tenant.cloud.get("image", f"/images/{IMAGE}/file")

    direct = tenant.direct[zones[0]].get("image", f"/images/{IMAGE}/file")
    assert shown["name"] == "cirros-lab"
    assert data.status == 200
    assert data.content == direct.content


def test_an_image_is_made_filled_used_and_deleted(tenant: Tenant) -> None:
    body = {"name": "own", "disk_format": "raw", "container_format": "bare"}
    content = bytes(range(256)) * 4096

    made = tenant.cloud.post("image", "/images", body)
    image = made.json["id"]
    filled = tenant.cloud.call(
        "PUT",
        "image",
        f"/images/{image}/file",
        content,
        headers={"Content-Type": "application/octet-stream"},
    )

    assert (made.status, filled.status) == (201, 204)
    homes = tenant.home("image", f"/images/{image}")
    assert homes
    assert tenant.cloud.get("image", f"/images/{image}/file").content == content
    server = tenant.cloud.create_server("from-own", imageRef=image)
    assert tenant.home("compute", f"/servers/{server}")[0] in homes
    tenant.cloud.wait_for_server(server)
    assert tenant.cloud.delete("image", f"/images/{image}").status == 204
    assert tenant.home("image", f"/images/{image}") == []


def test_the_networks_of_both_pods_are_listed(tenant: Tenant, zones: tuple[str, str]) -> None:
    path = "/networks?name=lab-net"

    found = {network["id"] for network in tenant.cloud.read("network", path)["networks"]}

    inside = {tenant.direct[zone].read("network", path)["networks"][0]["id"] for zone in zones}
    assert found == inside


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_is_where_its_network_is(tenant: Tenant, zones: tuple[str, str], which: int) -> None:
    zone = zones[which]
    [network] = tenant.direct[zone].read("network", "/networks?name=lab-net")["networks"]
    body = {"port": {"network_id": network["id"], "name": "plug"}}

    answer = tenant.cloud.post("network", "/ports", body)

    assert answer.status == 201
    path = f"/ports/{answer.json['port']['id']}"
    assert tenant.home("network", path) == [zone]
    assert tenant.cloud.delete("network", path).status == 204


def test_a_server_is_where_its_port_is(tenant: Tenant, zones: tuple[str, str]) -> None:
    [network] = tenant.direct[zones[1]].read("network", "/networks?name=lab-net")["networks"]
    body = {"port": {"network_id": network["id"], "name": "plug"}}
    port = tenant.cloud.post("network", "/ports", body).json["port"]["id"]

    server = tenant.cloud.create_server("on-port", networks=[{"port": port}])

    assert tenant.home("compute", f"/servers/{server}") == [zones[1]]
    tenant.cloud.wait_for_server(server)


def test_an_unknown_network_is_404_in_neutrons_form(tenant: Tenant, zones: tuple[str, str]) -> None:
    path = "/networks/00000000-0000-4000-8000-00000000dead"

    answer = tenant.cloud.get("network", path)

    direct = tenant.direct[zones[0]].get("network", path)
    assert answer.status == 404
    assert answer.json == direct.json


def test_an_unknown_image_is_404(tenant: Tenant) -> None:
    answer = tenant.cloud.get("image", "/images/00000000-0000-4000-8000-00000000dead")

    assert answer.status == 404


def test_an_image_that_two_pods_have_is_changed_and_deleted_in_both(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    path = f"/images/{uuid4()}"
    body = {"id": path.rpartition("/")[2], "disk_format": "raw", "container_format": "bare"}
    for pod in tenant.direct.values():
        assert pod.post("image", "/images", body).status == 201

    tagged = tenant.cloud.put("image", f"{path}/tags/blue", b"")

    assert tagged.status == 204
    assert [pod.read("image", path)["tags"] for pod in tenant.direct.values()] == [["blue"]] * 2
    assert tenant.cloud.delete("image", path).status == 204
    assert tenant.home("image", path) == []
    assert tenant.cloud.get("image", path).status == 404


def test_networks_are_made_where_they_say_and_paged_both_ways(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    made = []
    for number in range(5):
        zone = zones[number % 2]
        body = {"name": f"walk-{number}", "availability_zone_hints": [zone]}
        network = tenant.cloud.post("network", "/networks", {"network": body}).json["network"]
        made.append(f"/networks/{network['id']}")
        assert tenant.home("network", made[-1]) == [zone]
    own = f"project_id={tenant.cloud.client.project_id}&fields=name&sort_key=name&sort_dir=asc"

    pages, links = [], {"next": f"{tenant.cloud.url('network')}/networks?limit=2&{own}"}
    for rel in ("next", "next", "next", "previous", "previous"):
        answer = tenant.cloud.client.ask("GET", links[rel])
        pages.append([network["name"] for network in answer["networks"]])
        links = {link["rel"]: link["href"] for link in answer["networks_links"]}

    first, second, third = ["walk-0", "walk-1"], ["walk-2", "walk-3"], ["walk-4"]
    assert pages == [first, second, third, second, first]
    for path in made:
        assert tenant.cloud.delete("network", path).status == 204
