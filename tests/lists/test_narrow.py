"""Which pods a list asks, and with which words."""

import pytest

from control_plane.lists.narrow import Asked, honoured, narrow
from control_plane.model.fleet import Fleet
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.services.cinder import VOLUME
from control_plane.services.listing import Narrow, Says
from control_plane.services.nova import COMPUTE

EAST = Pod("1", "East", "az1", "nova")
WEST = Pod("2", "West", "az2", "inner")
NORTH = Pod("3", "North", "az2")
FLEET = Fleet.of([EAST, WEST, NORTH])
PODS = (EAST, NORTH, WEST)
SERVERS = COMPUTE.resources["server"].lists.narrows
VOLUMES = VOLUME.resources["volume"].lists.narrows


def asked(*rest: tuple[str, str], narrows: tuple[Narrow, ...] = SERVERS) -> list[Asked]:
    rules = honoured(narrows, Microversion(2, 90), admin=True)
    return narrow(FLEET, PODS, rest, rules, {"known": "West"})


def test_a_zone_asks_its_pods_by_the_names_they_have_for_it() -> None:
    found = asked(("name", "x"), ("availability_zone", "az2"))

    assert found == [
        Asked(NORTH, (("name", "x"),)),
        Asked(WEST, (("name", "x"), ("availability_zone", "inner"))),
    ]


def test_a_zone_nobody_has_asks_nobody() -> None:
    assert asked(("availability_zone", "nova")) == []


@pytest.mark.parametrize(("narrows", "pods"), [(SERVERS, ["East", "North", "West"]), (VOLUMES, [])])
def test_a_zone_is_a_pattern_where_the_service_takes_one(
    narrows: tuple[Narrow, ...], pods: list[str]
) -> None:
    found = asked(("availability_zone", "az"), narrows=narrows)

    assert [entry.pod.name for entry in found] == pods


@pytest.mark.parametrize("pattern", ["[", "("])
def test_a_pattern_that_is_none_matches_nothing(pattern: str) -> None:
    assert asked(("availability_zone", pattern)) == []


def test_a_host_with_its_pod_asks_that_pod_alone_without_the_prefix() -> None:
    assert asked(("host", "West~compute1")) == [Asked(WEST, (("host", "compute1"),))]


def test_a_host_without_a_pod_asks_all() -> None:
    assert [entry.pod for entry in asked(("host", "compute1"))] == list(PODS)


@pytest.mark.parametrize(("value", "pods"), [("known", [WEST]), ("other", list(PODS))])
def test_an_id_asks_its_pod_when_that_is_known(value: str, pods: list[Pod]) -> None:
    found = asked(("group_id", value), narrows=VOLUMES)

    assert [entry.pod for entry in found] == pods


@pytest.mark.parametrize(
    ("version", "admin", "parameters"),
    [
        ("2.82", False, set()),
        ("2.83", False, {"availability_zone"}),
        ("2.1", True, {"availability_zone", "host", "node", "uuid"}),
    ],
)
def test_a_filter_that_the_service_drops_keeps_no_pod_from_being_asked(
    version: str,
    admin: bool,  # noqa: FBT001
    parameters: set[str],
) -> None:
    assert set(honoured(SERVERS, Microversion.parse(version), admin=admin)) == parameters


def test_two_filters_narrow_together() -> None:
    rules = {"az": Narrow("az", Says.ZONE), "host": Narrow("host", Says.HOST)}

    assert narrow(FLEET, PODS, (("az", "az1"), ("host", "West~h")), rules, {}) == []


def test_a_definition_is_asked_for_by_each_pods_own_id_of_it() -> None:
    rules = honoured(VOLUMES, Microversion(3, 50), admin=True)

    found = narrow(
        FLEET,
        PODS,
        (("volume_type_id", "gold"),),
        rules,
        {},
        lambda resource, name, pod: f"{resource} {name} of {pod.name}",
    )

    assert [entry.rest for entry in found] == [
        (("volume_type_id", f"volume_type gold of {pod.name}"),) for pod in PODS
    ]
