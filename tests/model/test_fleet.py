"""The pods at one moment."""

from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod, PodState

ONE = Pod("id-1", "Pod1", "az2")
TWO = Pod("id-2", "Pod2", "az1", state=PodState.DISABLED)
THREE = Pod("id-3", "Pod3", "az1", state=PodState.CORDONED)


def test_pods_are_in_the_order_of_their_names_and_found_by_name_and_id() -> None:
    fleet = Fleet.of([THREE, ONE, TWO])

    assert list(fleet) == [ONE, TWO, THREE]
    assert fleet.get("Pod2") is TWO
    assert fleet.with_id("id-3") is THREE
    assert fleet.get("id-3") is None
    assert fleet.with_id("Pod3") is None


def test_what_is_disabled_is_not_asked_and_gives_no_zone() -> None:
    fleet = Fleet.of([ONE, TWO])

    assert fleet.serving == (ONE,)
    assert fleet.zones == ("az2",)
    assert fleet.in_zone("az1") == ()


def test_fleets_of_the_same_pods_are_equal() -> None:
    assert Fleet.of([ONE, TWO]) == Fleet.of([TWO, ONE])
    assert Fleet.of([ONE]) != Fleet.of([TWO])
    assert Fleet() == Fleet.of([])
