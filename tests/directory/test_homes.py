"""Homes: what whole lists showed a short while ago."""

from control_plane.directory.homes import SECONDS, HomeKey, Homes

KEY = HomeKey("p", "compute", "server")
ASKED = ("Pod1", "Pod2")


def test_the_only_pod_that_had_something_is_known_for_a_while() -> None:
    now = 100.0
    homes = Homes(lambda: now)
    homes.learn(KEY, ["Pod1"], ASKED)

    seen = homes.of(KEY)
    other = homes.of(HomeKey("q", "compute", "server"))
    now += SECONDS

    assert seen is not None
    assert (seen.pod, seen.asked) == ("Pod1", ASKED)
    assert other is None
    assert homes.of(KEY) is None


def test_a_list_that_is_empty_everywhere_is_known_to_be() -> None:
    homes = Homes()
    homes.learn(KEY, [], ASKED)

    seen = homes.of(KEY)

    assert seen is not None
    assert seen.pod == ""


def test_a_second_pod_ends_what_was_known() -> None:
    homes = Homes()
    homes.learn(KEY, ["Pod1"], ASKED)
    homes.learn(KEY, ["Pod1", "Pod2"], ASKED)

    assert homes.of(KEY) is None
