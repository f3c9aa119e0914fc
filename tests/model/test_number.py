"""Integers of pods as users see them."""

from hypothesis import given
from hypothesis import strategies as st

from control_plane.model.fleet import Fleet
from control_plane.model.number import parse_number, shown_number
from control_plane.model.pod import HIGHEST_NUMBER, Pod


@given(st.integers(1, HIGHEST_NUMBER), st.integers(0, 2**40))
def test_a_shown_number_says_the_pod_and_its_own_number(pod: int, local: int) -> None:
    fleet = Fleet.of([Pod("id", "Pod1", "az1", number=pod)])

    assert parse_number(fleet, shown_number(pod, local)) == (fleet.pods[0], local)


def test_a_number_of_no_pod_is_one_that_no_pod_counts() -> None:
    fleet = Fleet.of([Pod("id", "Pod1", "az1", number=1)])

    assert parse_number(fleet, shown_number(2, 7)) == (None, 0)


def test_a_pod_that_has_no_number_yet_has_no_integers() -> None:
    fleet = Fleet.of([Pod("id", "Pod1", "az1")])

    assert parse_number(fleet, 4096) == (None, 0)
