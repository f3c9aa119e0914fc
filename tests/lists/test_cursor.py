"""Places that are remembered for the next page."""

from control_plane.lists.cursor import CURSOR_SECONDS, Cursors, ListKey
from control_plane.lists.sequence import Place


def key(**changes: str) -> ListKey:
    columns = {"service": "s", "path": "/p", "user_id": "u", "project_id": "p", "version": "1"}
    return ListKey(rest=(("a", "b"),), **{**columns, **changes})


PLACES = {"Pod1": Place("x", 1)}


def test_places_are_found_by_the_same_list_of_the_same_caller_only() -> None:
    cursors = Cursors()
    cursors.put(key(), "last", PLACES)

    assert cursors.get(key(), "last") == PLACES
    assert cursors.get(key(), "other") is None
    assert all(
        cursors.get(key(**{name: "z"}), "last") is None
        for name in ("service", "path", "user_id", "project_id", "version")
    )


def test_places_are_forgotten_after_a_while() -> None:
    now = [0.0]
    cursors = Cursors(lambda: now[0])
    cursors.put(key(), "last", PLACES)

    now[0] = CURSOR_SECONDS + 1

    assert cursors.get(key(), "last") is None


def test_the_oldest_places_make_room_and_a_place_can_be_dropped() -> None:
    cursors = Cursors(size=2)
    for last in ("1", "2", "3"):
        cursors.put(key(), last, PLACES)
    cursors.forget(key(), "3")

    assert [cursors.get(key(), last) is not None for last in ("1", "2", "3")] == [
        False,
        True,
        False,
    ]


def test_places_that_are_found_here_are_shared_and_those_of_others_are_not() -> None:
    shared: list[str] = []
    cursors = Cursors(share=lambda _key, last, _places: shared.append(last))

    cursors.put(key(), "own", PLACES)
    cursors.keep(key(), "theirs", PLACES)

    assert shared == ["own"]
    assert cursors.get(key(), "theirs") == PLACES
