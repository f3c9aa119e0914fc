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


def test_nothing_comes_before_all_and_then_numbers_and_text() -> None:
    assert ascending(None) < ascending(-1) < ascending(1.5) < ascending(2) < ascending("")
    assert ascending("") < ascending("a") < ascending({})


def test_text_is_compared_without_case_and_accents_and_by_large_letters() -> None:
    assert ascending("a") == ascending("A") == ascending("ä")
    assert ascending("webz") < ascending("web_1")
    assert ascending("été") < ascending("etf")
