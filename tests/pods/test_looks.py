"""When pods are looked at."""

import pytest

from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts
from control_plane.pods.looks import A_SECOND, IMPATIENT_SECONDS, VERSIONS_SECONDS, Looks

RANGE = MicroversionRange(Microversion(2, 1), Microversion(2, 96))
WELL, SILENT = (
    PodFacts(versions={"compute": RANGE}),
    PodFacts(versions={"compute": RANGE}, misses=1),
)
EVERY = 2.0


class Fleet:
    """Pods that are looked at as the registry does."""

    def __init__(self, count: int) -> None:
        self.now = 100.0
        self.looks = Looks(lambda: self.now)
        self.pods = tuple(Pod(f"id{n}", f"Pod{n}", "az") for n in range(count))
        self.facts = dict.fromkeys((pod.name for pod in self.pods), WELL)
        self.looks.note(self.pods)

    def look(self) -> list[str]:
        found = self.looks.due(self.pods, self.facts.get, EVERY)
        self.looks.note(found)
        return [pod.name for pod in found]

    def pass_time(self, seconds: float) -> list[str]:
        found: list[str] = []
        end = self.now + seconds
        while self.now < end:
            self.now += EVERY
            found += self.look()
        return found


@pytest.mark.parametrize("count", [3, 40])
def test_each_pod_of_a_small_fleet_has_its_turn(count: int) -> None:
    fleet = Fleet(count)

    looked = fleet.pass_time(10 * VERSIONS_SECONDS)

    assert set(looked) == {pod.name for pod in fleet.pods}
    assert len(looked) >= 7 * count


def test_a_large_fleet_costs_no_more_a_second_and_leaves_nobody_out() -> None:
    fleet = Fleet(1000)

    looked = fleet.pass_time(2 * 1000 / A_SECOND + EVERY)

    assert len(looked) <= (2 * 1000 / A_SECOND + EVERY) * A_SECOND
    assert set(looked) == {pod.name for pod in fleet.pods}


def test_a_silent_pod_does_not_wait_for_its_turn() -> None:
    fleet = Fleet(1000)
    fleet.facts["Pod7"] = SILENT

    fleet.now += IMPATIENT_SECONDS

    assert fleet.look() == ["Pod7"]


def test_a_pod_that_did_not_answer_is_looked_at_soon_and_once() -> None:
    fleet = Fleet(1000)
    fleet.now += IMPATIENT_SECONDS

    told = [fleet.looks.soon("Pod7") for _ in range(3)]

    assert told == [True, False, False]
    assert fleet.look() == ["Pod7"]
    assert fleet.look() == []


def test_a_pod_that_was_just_looked_at_is_not_suspected() -> None:
    fleet = Fleet(10)

    assert not fleet.looks.soon("Pod7")


def test_a_pod_that_moved_is_looked_at_first() -> None:
    fleet = Fleet(10)
    fleet.looks.forget("Pod9")

    assert fleet.look() == ["Pod9"]
