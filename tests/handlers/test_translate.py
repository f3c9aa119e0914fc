"""What pods say in their own words, said in the users'."""

import json
from typing import Any

import pytest

from control_plane.model.host_id import shown_host_id
from control_plane.services.catalog import service_named
from tests.handlers.two_pods import ONE, TWO, translation

COMPUTE = service_named("compute").resources
VOLUME = service_named("volume").resources
HOST_ID = "ab" * 28


def item(resource: str, fields: dict[str, Any]) -> Any:
    """Translate one item of a list of the first pod."""
    return json.loads(translation().item(json.dumps(fields).encode(), COMPUTE[resource]))


def test_a_server_is_shown_with_the_users_zone_the_pods_host_and_its_own_host_id() -> None:
    server = {
        "id": "x",
        "hostId": HOST_ID,
        "OS-EXT-AZ:availability_zone": "inner1",
        "OS-EXT-SRV-ATTR:host": "compute1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "compute1",
        "OS-EXT-SRV-ATTR:hostname": "compute1",
        "metadata": {"hostId": HOST_ID, "OS-EXT-AZ:availability_zone": "inner1"},
    }

    assert item("server", server) == {
        **server,
        "hostId": shown_host_id("Pod1", HOST_ID),
        "OS-EXT-AZ:availability_zone": "az1",
        "OS-EXT-SRV-ATTR:host": "Pod1~compute1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "Pod1~compute1",
    }


def test_what_is_empty_stays_empty() -> None:
    server = {"hostId": "", "OS-EXT-AZ:availability_zone": "", "OS-EXT-SRV-ATTR:host": None}

    assert item("server", server) == server


def test_integers_of_two_pods_differ_and_uuids_stay() -> None:
    raw = json.dumps({"id": 1, "service": {"id": 3}}).encode()
    shown = [json.loads(translation(pod).item(raw, COMPUTE["hypervisor"])) for pod in (ONE, TWO)]

    assert shown == [
        {"id": 4097, "service": {"id": 3 * 4096 + 1}},
        {"id": 4098, "service": {"id": 3 * 4096 + 2}},
    ]
    assert item("hypervisor", {"id": "a-uuid"}) == {"id": "a-uuid"}


def test_the_link_of_a_numbered_item_ends_with_the_shown_number() -> None:
    links = [{"rel": "self", "href": "http://gateway:8080/v2.1/servers/s/migrations/7"}]

    shown = item("migration", {"id": 7, "links": links, "source_compute": "a"})

    assert shown["links"][0]["href"].endswith(f"/servers/s/migrations/{7 * 4096 + 1}")
    assert shown["source_compute"] == "Pod1~a"


def test_an_operators_own_zone_of_an_aggregate_keeps_its_name() -> None:
    users = {"hosts": ["a", "b"], "metadata": {"availability_zone": "inner1", "k": "inner1"}}
    own = {"hosts": [], "metadata": {"availability_zone": "new"}, "availability_zone": "new"}

    assert item("aggregate", users) == {
        "hosts": ["Pod1~a", "Pod1~b"],
        "metadata": {"availability_zone": "az1", "k": "inner1"},
    }
    assert item("aggregate", own) == own


def test_the_zone_of_control_services_keeps_its_name() -> None:
    assert item("nova_service", {"host": "a", "zone": "internal"})["zone"] == "internal"


def test_hosts_of_an_actions_events_are_translated() -> None:
    action = {"events": [{"host": "a", "hostId": HOST_ID}, {"event": "x"}]}

    assert item("instance_action", action) == {
        "events": [
            {"host": "Pod1~a", "hostId": shown_host_id("Pod1", HOST_ID)},
            {"event": "x"},
        ]
    }


def test_an_item_without_any_of_the_fields_is_not_touched() -> None:
    raw = b'{"id":  "x" , "name": "a"}'

    assert translation().item(raw, COMPUTE["server"]) == raw


def test_a_body_is_translated_under_its_key_in_a_list_and_bare() -> None:
    volume = {"id": "x", "os-vol-host-attr:host": "h@b#p", "attachments": [{"host_name": "h"}]}
    shown = {
        "id": "x",
        "os-vol-host-attr:host": "Pod1~h@b#p",
        "attachments": [{"host_name": "Pod1~h"}],
    }

    wraps: list[Any] = [{"volume": volume}, {"volumes": [volume]}, volume]
    said = [
        json.loads(translation().body(json.dumps(wrap).encode(), VOLUME["volume"]))
        for wrap in wraps
    ]

    assert said == [{"volume": shown}, {"volumes": [shown]}, shown]


def test_urls_of_a_pod_lead_to_the_gateway_wherever_they_stand() -> None:
    port = 9000
    raw = f'{{"links": "http://10.0.0.1:{port}/v2.1/x", "metadata": "http://10.0.0.2/"}}'.encode()

    said = translation().item(raw, COMPUTE["flavor"])

    assert said == raw.replace(f"http://10.0.0.1:{port}/".encode(), b"http://gateway:8080/compute/")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Availability zone 'inner1' is invalid.", "Availability zone 'az1' is invalid."),
        (
            "Volume is in inner1, another availability_zone.",
            "Volume is in az1, another availability_zone.",
        ),
        ("Flavor inner1 could not be found.", "Flavor inner1 could not be found."),
        ("The zone of inner1-server is unknown", "The zone of inner1-server is unknown"),
        ("No endpoint in region Pod1.", "No endpoint in region az1."),
        ("Server my-Pod1 is locked", "Server my-Pod1 is locked"),
        ("See http://10.0.0.1:9000/v2.1/x", "See http://gateway:8080/compute/v2.1/x"),
    ],
)
def test_a_refusal_names_no_pod_no_zone_of_a_pod_and_no_url(said: str, shown: str) -> None:
    assert translation().fault(said.encode()).decode() == shown


def test_a_field_that_stands_twice_in_an_item_is_found_by_its_place() -> None:
    metadata = {"hostId": HOST_ID}
    before = json.dumps({"metadata": metadata, "hostId": HOST_ID, "id": "x"})
    compact = json.dumps({"id": "x", "hostId": HOST_ID}, separators=(",", ":"))

    shown = [
        json.loads(translation().item(raw.encode(), COMPUTE["server"])) for raw in (before, compact)
    ]

    assert [entry["hostId"] for entry in shown] == [shown_host_id("Pod1", HOST_ID)] * 2
    assert shown[0]["metadata"] == metadata


def test_values_that_are_no_longer_remembered_are_translated_all_the_same() -> None:
    hosts = [f"{number:056x}" for number in range(1000)]

    for _ in range(2):
        shown = [item("server", {"id": "x", "hostId": host})["hostId"] for host in hosts]

        assert shown == [shown_host_id("Pod1", host) for host in hosts]
