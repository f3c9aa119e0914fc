"""The pod of a create: pins, zone, binding, weights."""

from collections import Counter
from http import HTTPStatus

import pytest

from control_plane.model.errors import Refused
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod, PodState
from control_plane.scheduling.choose import choose
from control_plane.scheduling.wish import Pin, Wish

NAMES = ("Pod1", "Pod2", "Pod3")


def pod(name: str, zone: str, state: PodState = PodState.ENABLED, weight: int = 100) -> Pod:
    return Pod(id=f"id-{name}", name=name, availability_zone=zone, state=state, weight=weight)


FLEET = Fleet.of([pod("Pod1", "az1"), pod("Pod2", "az2"), pod("Pod3", "az1")])


def wish(**changes: object) -> Wish:
    whole = {
        "service": "compute",
        "project_id": "p1",
        "with_service": frozenset(NAMES),
        "reachable": frozenset(NAMES),
    }
    return Wish(**{**whole, **changes})  # type: ignore[arg-type]


def test_an_unknown_zone_is_a_bad_request() -> None:
    with pytest.raises(Refused) as refused:
        choose(FLEET, wish(zone="nowhere"))

    assert refused.value.status == HTTPStatus.BAD_REQUEST
    assert "nowhere" in refused.value.message


def test_a_pin_decides_without_a_zone() -> None:
    choice = choose(FLEET, wish(pins=(Pin("volume", "v", "Pod2"),), bound=("Pod1",)))

    assert (choice.pod.name, choice.reason) == ("Pod2", "pinned")


@pytest.mark.parametrize(
    ("pins", "zone", "named"),
    [
        ((Pin("volume", "v1", "Pod1"), Pin("port", "p1", "Pod2")), "", ("az1", "az2", "v1", "p1")),
        ((Pin("volume", "v1", "Pod1"),), "az2", ("az1", "az2", "v1")),
        ((Pin("volume", "v1", "Pod1"), Pin("volume", "v3", "Pod3")), "", ("az1", "v1", "v3")),
    ],
)
def test_pins_that_disagree_are_a_bad_request_that_names_zones_and_never_pods(
    pins: tuple[Pin, ...], zone: str, named: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        choose(FLEET, wish(pins=pins, zone=zone))

    assert refused.value.status == HTTPStatus.BAD_REQUEST
    assert all(word in refused.value.message for word in named)
    assert not any(name in refused.value.message for name in NAMES)


def test_the_binding_decides_among_the_pods_of_the_zone() -> None:
    choice = choose(FLEET, wish(zone="az1", bound=("Pod2", "Pod3")))

    assert (choice.pod.name, choice.reason) == ("Pod3", "bound")


def test_a_cordoned_pod_takes_no_creates_but_its_zone_goes_on() -> None:
    fleet = Fleet.of([pod("Pod1", "az1", PodState.CORDONED), pod("Pod3", "az1")])

    assert choose(fleet, wish(zone="az1", bound=("Pod1",))).pod.name == "Pod3"


def test_a_zone_with_no_pod_that_takes_creates_is_unavailable() -> None:
    fleet = Fleet.of([pod("Pod1", "az1", PodState.CORDONED), pod("Pod2", "az2")])

    with pytest.raises(Refused) as refused:
        choose(fleet, wish(zone="az1"))

    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "retry-after" in refused.value.headers


def test_an_image_narrows_the_choice_unless_no_pod_of_the_zone_has_it() -> None:
    only_three = {"image": frozenset({"Pod3"})}

    assert choose(FLEET, wish(holders=only_three, bound=("Pod1",))).pod.name == "Pod3"
    assert choose(FLEET, wish(holders=only_three, zone="az2")).pod.name == "Pod2"


def test_a_pod_that_does_not_answer_is_avoided_while_another_can_take_the_create() -> None:
    alive = frozenset({"Pod2", "Pod3"})

    assert choose(FLEET, wish(zone="az1", reachable=alive, bound=("Pod1",))).pod.name == "Pod3"
    assert choose(FLEET, wish(zone="az1", reachable=frozenset({"Pod2"}))).pod.name in NAMES


def test_a_project_bound_nowhere_that_names_no_zone_goes_to_the_default_zone() -> None:
    projects = [f"p{number}" for number in range(50)]

    def zones(default: str) -> set[str]:
        wishes = [wish(project_id=project, default_zone=default) for project in projects]
        return {choose(FLEET, entry).pod.availability_zone for entry in wishes}

    assert zones("") == {"az1"}
    assert zones("az2") == {"az2"}
    assert zones("*") == {"az1", "az2"}
    assert zones("gone") == {"az1", "az2"}
    assert choose(FLEET, wish(bound=("Pod2",), default_zone="az1")).pod.name == "Pod2"


def test_the_default_zone_gives_way_to_one_that_can_take_the_create() -> None:
    only_two = {"image": frozenset({"Pod2"})}

    assert choose(FLEET, wish(holders=only_two)).pod.name == "Pod2"


def test_projects_spread_by_weight_and_stay_where_they_are_when_a_pod_is_added() -> None:
    two = Fleet.of([pod("Pod1", "az1", weight=100), pod("Pod3", "az1", weight=300)])
    three = Fleet.of([*two, pod("Pod4", "az1", weight=100)])
    everywhere = frozenset({*NAMES, "Pod4"})
    wishes = [
        wish(project_id=f"p{n}", zone="az1", with_service=everywhere, reachable=everywhere)
        for n in range(2000)
    ]

    before = [choose(two, entry).pod.name for entry in wishes]
    after = [choose(three, entry).pod.name for entry in wishes]

    counts = Counter(before)
    assert 2.5 < counts["Pod3"] / counts["Pod1"] < 3.6
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {"Pod4"}


def test_a_pod_without_the_others_definitions_takes_no_create_even_if_it_is_the_only_one() -> None:
    choice = choose(FLEET, wish(zone="az1", bound=("Pod1",), unready=frozenset({"Pod1"})))

    with pytest.raises(Refused) as refused:
        choose(FLEET, wish(zone="az2", unready=frozenset({"Pod2"})))

    assert choice.pod.name == "Pod3"
    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
