"""How often a project may have all pods asked for nothing."""

from http import HTTPStatus

import pytest

from control_plane.directory import allowance
from control_plane.directory.allowance import BURST, PER_SECOND, Allowance
from control_plane.model.errors import Refused


class Clock:
    """Stands still until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _taken(bucket: Allowance, project: str = "p") -> int:
    """Count how many tokens there are, by taking them."""
    count = 0
    try:
        while count < BURST * 2:
            bucket.take(project)
            count += 1
    except Refused:
        pass
    return count


def test_a_burst_is_allowed_then_so_many_a_second() -> None:
    clock = Clock()
    bucket = Allowance(clock)

    assert _taken(bucket) == BURST
    clock.now += 3
    assert _taken(bucket) == PER_SECOND * 3
    clock.now += 10 * BURST
    assert _taken(bucket) == BURST


def test_the_refusal_is_429_and_says_when_to_come_back() -> None:
    bucket = Allowance(Clock())
    _taken(bucket)

    with pytest.raises(Refused) as refused:
        bucket.take("p")

    assert refused.value.status == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.value.headers["retry-after"] == "1"


def test_one_project_does_not_pay_for_another() -> None:
    bucket = Allowance(Clock())
    _taken(bucket, "greedy")

    bucket.take("modest")


def test_what_finds_something_costs_nothing() -> None:
    bucket = Allowance(Clock())

    for _ in range(int(BURST) * 3):
        bucket.take("p")
        bucket.give_back("p")

    assert _taken(bucket) == BURST


def test_many_projects_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "PROJECTS", 10)
    clock = Clock()
    bucket = Allowance(clock)

    for number in range(100):
        bucket.take(str(number))

    assert len(bucket._left) == 10
    clock.now += BURST
    bucket.take("one more")
    assert list(bucket._left) == ["one more"]
