"""Changing fields of items by their paths."""

from typing import Any

import pytest

from control_plane.services.field import change, first_of, last_of


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("a", {"a": "!", "b": {"c": "x", "d": ["x", "y"]}, "e": [{"f": "x"}, {}, 1]}),
        ("b.c", {"a": "x", "b": {"c": "!", "d": ["x", "y"]}, "e": [{"f": "x"}, {}, 1]}),
        ("b.d", {"a": "x", "b": {"c": "x", "d": "!"}, "e": [{"f": "x"}, {}, 1]}),
        ("b.d[]", {"a": "x", "b": {"c": "x", "d": ["!", "!"]}, "e": [{"f": "x"}, {}, 1]}),
        ("e[].f", {"a": "x", "b": {"c": "x", "d": ["x", "y"]}, "e": [{"f": "!"}, {}, 1]}),
    ],
)
def test_only_what_stands_at_the_path_is_changed(path: str, changed: Any) -> None:
    item = {"a": "x", "b": {"c": "x", "d": ["x", "y"]}, "e": [{"f": "x"}, {}, 1]}

    assert change(item, path, lambda _: "!")
    assert item == changed


@pytest.mark.parametrize("path", ["z", "a.b", "a[]", "b[].c", "e.f"])
def test_what_is_absent_or_of_another_shape_is_left_alone(path: str) -> None:
    item = {"a": "x", "b": {"c": "x"}, "e": [{"f": "x"}]}

    assert not change(item, path, lambda _: "!")
    assert item == {"a": "x", "b": {"c": "x"}, "e": [{"f": "x"}]}


def test_an_equal_value_is_no_change() -> None:
    assert not change({"a": "x"}, "a", lambda value: value)


def test_a_path_begins_and_ends_with_names() -> None:
    assert (first_of("e[].f.g[]"), last_of("e[].f.g[]")) == ("e", "g")
