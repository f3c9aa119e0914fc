"""Change in place what stands at a path of an item that a pod shows.

A path is names with dots between them; `name[]` means each item of the list. The value at the end
is given whole, lists and objects too. What is not there, or of another shape, is left alone.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any


def change(item: object, path: str, new: Callable[[Any], Any]) -> bool:
    """Replace each value at a path by what `new` makes of it; say whether any differs."""
    return _change(item, _segments(path), new)


def first_of(path: str) -> str:
    """Give the field of the item that a path begins with."""
    return _segments(path)[0][0]


def last_of(path: str) -> str:
    """Give the name that stands before the value."""
    return _segments(path)[-1][0]


def _change(
    item: object, segments: tuple[tuple[str, bool], ...], new: Callable[[Any], Any]
) -> bool:
    (name, each), following = segments[0], segments[1:]
    if not isinstance(item, dict) or name not in item:
        return False
    value = item[name]
    if each:
        if not isinstance(value, list):
            return False
        if following:
            return sum(_change(entry, following, new) for entry in value) > 0
        replaced: Any = [new(entry) for entry in value]
    elif following:
        return _change(value, following, new)
    else:
        replaced = new(value)
    if replaced == value:
        return False
    item[name] = replaced
    return True


@lru_cache(maxsize=512)
def _segments(path: str) -> tuple[tuple[str, bool], ...]:
    return tuple((part.removesuffix("[]"), part.endswith("[]")) for part in path.split("."))
