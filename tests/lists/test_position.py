"""Positions compare as pods sort, downward as well as upward."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control_plane.lists.position import ascending, descending

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\0\x01aAß"), max_size=6)
VALUES = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(st.integers(), max_size=2)


@given(VALUES, VALUES)
def test_downward_is_upward_the_other_way_round(one: Any, two: Any) -> None:
    upward = ascending(one) < ascending(two)

    assert (descending(two) < descending(one)) is upward
    assert (descending(one) == descending(two)) is (ascending(one) == ascending(two))


@given(VALUES, VALUES, VALUES)
def test_an_equal_key_leaves_the_word_to_the_next(key: Any, one: Any, two: Any) -> None:
    for way in (ascending, descending):
        assert (way(key) + way(one) < way(key) + way(two)) is (way(one) < way(two))


def test_nothing_and_empty_text_come_before_all_and_text_is_compared_without_case() -> None:
    assert ascending(None) == ascending("") < ascending(-1) < ascending("a")
    assert ascending(1.5) < ascending(2) < ascending("a") == ascending("A") < ascending({})
