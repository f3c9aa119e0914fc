"""Servers through the gateway: the right pod, every field, every action."""

import base64
from collections.abc import Callable

import pytest

from control_plane.model.host_id import shown_host_id
from tests.integration.cloud import IMAGE, NANO, until
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant
from tests.openstack.pod import Pod

pytestmark = pytest.mark.openstack

USER_DATA = base64.b64encode(b"#!/bin/sh\necho hello\n").decode()


@pytest.mark.parametrize("which", [0, 1])
def test_a_create_lands_in_the_pod_of_its_zone(
    tenant: Tenant, zones: tuple[str, str], which: int
) -> None:
    zone = zones[which]

    server = tenant.cloud.create_server(f"in-{zone}", zone)

    shown = tenant.cloud.wait_for_server(server)
    assert tenant.home("compute", f"/servers/{server}") == [zone]
    assert shown["OS-EXT-AZ:availability_zone"] == zone


def test_a_zone_has_its_own_name_inside_the_pod(
    tenant: Tenant, zones: tuple[str, str], pods: list[Pod]
) -> None:
    server = tenant.cloud.create_server("translated", zones[1])

    tenant.cloud.wait_for_server(server)
    inside = tenant.direct[zones[1]].read("compute", f"/servers/{server}")["server"]
    assert inside["OS-EXT-AZ:availability_zone"] == pods[1].inner_zones[0]


@pytest.fixture(scope="module")
def full(tenant: Tenant, zones: tuple[str, str]) -> str:
    """A server in the second zone with every field a user may set."""
    key = {"keypair": {"name": "full-key", "type": "ssh", "public_key": _PUBLIC_KEY}}
    assert tenant.cloud.post("compute", "/os-keypairs", key).status == 201
    server = tenant.cloud.create_server(
        "full",
        zones[1],
        key_name="full-key",
        user_data=USER_DATA,
        metadata={"purpose": "test", "note": "ünïcode"},
        config_drive=True,
        tags=["blue", "green"],
        description="a description",
        hostname="full-host",
    )
    tenant.cloud.wait_for_server(server)
    return server


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "full"),
        ("key_name", "full-key"),
        ("OS-EXT-SRV-ATTR:user_data", USER_DATA),
        ("metadata", {"purpose": "test", "note": "ünïcode"}),
        ("config_drive", "True"),
        ("tags", ["blue", "green"]),
        ("description", "a description"),
        ("OS-EXT-SRV-ATTR:hostname", "full-host"),
    ],
)
def test_every_field_of_a_create_arrives_unchanged(
    tenant: Tenant, zones: tuple[str, str], full: str, field: str, value: object
) -> None:
    inside = tenant.direct_admin[zones[1]].read("compute", f"/servers/{full}")["server"]

    found = sorted(inside[field]) if field == "tags" else inside[field]

    assert found == value


def test_the_gateway_shows_what_the_pod_shows(
    tenant: Tenant, pods: list[Pod], zones: tuple[str, str], full: str
) -> None:
    own = {"links", "OS-EXT-AZ:availability_zone", "updated", "flavor", "image"}

    shown = tenant.cloud.read("compute", f"/servers/{full}")["server"]
    inside = tenant.direct[zones[1]].read("compute", f"/servers/{full}")["server"]

    # Equal names of hosts in two pods must not look like one host.
    inside["hostId"] = shown_host_id(pods[1].name, inside["hostId"])
    assert {key: shown[key] for key in shown.keys() - own} == {
        key: inside[key] for key in inside.keys() - own
    }


def test_links_of_an_answer_lead_back_through_the_gateway(
    tenant: Tenant, gateway: Gateway, full: str
) -> None:
    shown = tenant.cloud.read("compute", f"/servers/{full}")["server"]

    links = [*shown["links"], *shown["image"]["links"]]
    answers = {link["rel"]: tenant.cloud.client.call("GET", link["href"]) for link in links}

    assert all(link["href"].startswith(gateway.url) for link in links)
    assert answers["self"].status == 200


def test_two_servers_are_made_with_one_request(tenant: Tenant, zones: tuple[str, str]) -> None:
    first = tenant.cloud.create_server("pair", zones[0], min_count=2, max_count=2)

    tenant.cloud.wait_for_server(first)
    pair = tenant.cloud.read("compute", "/servers?name=pair")["servers"]
    homes = [tenant.home("compute", f"/servers/{server['id']}") for server in pair]
    assert homes == [[zones[0]], [zones[0]]]


def test_actions_reach_the_pod(tenant: Tenant, zones: tuple[str, str]) -> None:
    server = tenant.cloud.create_server("acted-on", zones[1])
    tenant.cloud.wait_for_server(server)

    for action, status in _ACTIONS:
        answer = tenant.cloud.post("compute", f"/servers/{server}/action", {action: None})

        assert answer.status == 202, f"{action}: {answer.status} {answer.text}"
        tenant.direct[zones[1]].wait_for_server(server, status)


def test_the_console_log_is_that_of_the_server(tenant: Tenant, full: str) -> None:
    body = {"os-getConsoleOutput": {"length": 5}}

    answer = tenant.cloud.post("compute", f"/servers/{full}/action", body)

    assert answer.status == 200
    assert full in answer.json["output"]


def test_a_server_is_changed_and_its_metadata_too(tenant: Tenant, zones: tuple[str, str]) -> None:
    server = tenant.cloud.create_server("before", zones[1])
    tenant.cloud.wait_for_server(server)

    renamed = tenant.cloud.put("compute", f"/servers/{server}", {"server": {"name": "after"}})
    meta = {"metadata": {"colour": "red"}}
    changed = tenant.cloud.post("compute", f"/servers/{server}/metadata", meta)

    assert (renamed.status, changed.status) == (200, 200)
    inside = tenant.direct[zones[1]].read("compute", f"/servers/{server}")["server"]
    assert (inside["name"], inside["metadata"]) == ("after", {"colour": "red"})


def test_a_deleted_server_is_gone_everywhere(tenant: Tenant, zones: tuple[str, str]) -> None:
    path = f"/servers/{tenant.cloud.create_server('short-lived', zones[1])}"
    tenant.cloud.wait_for_server(path.rpartition("/")[2])

    answer = tenant.cloud.delete("compute", path)

    assert answer.status == 204
    until("gone", lambda: tenant.cloud.has("compute", path), lambda there: not there)
    assert tenant.home("compute", path) == []


def test_a_project_stays_with_its_pod_when_no_zone_is_named(
    new_tenant: Callable[[], Tenant],
) -> None:
    tenant = new_tenant()

    servers = [tenant.cloud.create_server(f"anywhere-{count}") for count in range(3)]

    homes = [tenant.home("compute", f"/servers/{server}") for server in servers]
    assert [len(home) for home in homes] == [1, 1, 1]
    assert homes[0] == homes[1] == homes[2]


@pytest.mark.parametrize("which", [0, 1])
def test_a_network_decides_the_pod_when_no_zone_is_named(
    tenant: Tenant, zones: tuple[str, str], which: int
) -> None:
    zone = zones[which]
    path = "/networks?name=lab-net"
    [network] = tenant.direct[zone].read("network", path)["networks"]

    server = tenant.cloud.create_server("plugged", networks=[{"uuid": network["id"]}])

    assert tenant.home("compute", f"/servers/{server}") == [zone]


def test_a_key_pair_is_in_every_pod_until_it_is_deleted(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    path = "/os-keypairs/both"
    key = {"keypair": {"name": "both", "type": "ssh", "public_key": _PUBLIC_KEY}}

    made = tenant.cloud.post("compute", "/os-keypairs", key)
    homes = tenant.home("compute", path)
    names = [
        entry["keypair"]["name"]
        for entry in tenant.cloud.read("compute", "/os-keypairs")["keypairs"]
    ]
    deleted = tenant.cloud.delete("compute", path)

    assert made.status == 201
    assert homes == list(zones)
    assert names.count("both") == 1
    assert deleted.status == 204
    assert tenant.home("compute", path) == []


def test_a_key_pair_that_a_pod_lacks_is_brought_before_the_create(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    path = "/os-keypairs/late"
    key = {"keypair": {"name": "late", "type": "ssh", "public_key": _PUBLIC_KEY}}
    made = tenant.cloud.post("compute", "/os-keypairs", key)
    taken = tenant.direct[zones[1]].delete("compute", path)

    server = tenant.cloud.create_server("late", zones[1], key_name="late")

    assert (made.status, taken.status) == (201, 204)
    assert tenant.home("compute", path) == list(zones)
    assert tenant.cloud.read("compute", f"/servers/{server}")["server"]["key_name"] == "late"


def test_a_build_that_fails_is_shown_as_the_pod_shows_it(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    failing = {"lab_fail": "spawn"}

    server = tenant.cloud.create_server("doomed", zones[1], metadata=failing)

    shown = tenant.cloud.wait_for_server(server, "ERROR")
    assert shown["fault"]["code"] == 500
    assert tenant.cloud.delete("compute", f"/servers/{server}").status == 204


def test_an_older_microversion_is_passed_on(tenant: Tenant, full: str) -> None:
    shown = tenant.cloud.read("compute", f"/servers/{full}", version="2.1")["server"]

    assert "tags" not in shown
    assert shown["flavor"]["id"] == NANO
    assert shown["image"]["id"] == IMAGE


_ACTIONS = (
    ("os-stop", "SHUTOFF"),
    ("os-start", "ACTIVE"),
    ("pause", "PAUSED"),
    ("unpause", "ACTIVE"),
    ("suspend", "SUSPENDED"),
    ("resume", "ACTIVE"),
)
_PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test"
)
