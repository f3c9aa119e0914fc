"""Which of the ready pods are asked what a new one is to have."""

from datetime import UTC, datetime, timedelta

from control_plane.replication.sources import Ready, sources
from tests.replication.pods import POD1, POD2, POD3, POD4

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def _ready(*lacks: str) -> list[Ready]:
    """Give pods that became ready one after the other, each with what it lacks."""
    return [
        Ready(pod, BEGUN + timedelta(seconds=number), frozenset(text.split()))
        for number, (pod, text) in enumerate(zip((POD1, POD2, POD3, POD4), lacks, strict=False))
    ]


def test_nobody_is_asked_where_nobody_is_ready() -> None:
    assert sources([]) == []


def test_the_first_and_the_last_are_asked() -> None:
    assert sources(_ready("", "", "", "")) == [POD1, POD4]


def test_what_both_lack_is_taken_from_another() -> None:
    assert sources(_ready("a b", "a", "b", "a b")) == [POD1, POD2, POD3, POD4]


def test_who_has_nothing_that_is_lacking_is_not_asked() -> None:
    assert sources(_ready("a", "a", "", "a")) == [POD1, POD3, POD4]


def test_what_nobody_has_asks_nobody_else() -> None:
    assert sources(_ready("a", "a", "a", "a")) == [POD1, POD4]


def test_all_that_became_ready_with_the_last_are_asked() -> None:
    same = [Ready(pod, BEGUN) for pod in (POD2, POD3)]

    assert sources([Ready(POD1, BEGUN - timedelta(days=1)), *same]) == [POD1, POD2, POD3]
