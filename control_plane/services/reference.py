"""Read and replace what a body path points to.

A path is segments with dots between them. A segment is the name of a field, or several names with
bars between them of which each is tried. `name[]` means each item of the list, and
`name[key=v1,v2]` the items (or the object itself, where there is no list) whose `key` has one of
the values. `name[,]` means each part of a text with commas between the parts, and `name[base64]`
the object that a text holds as base64 of JSON, which can be read and not replaced. What a path
points to is a text, a number, or a list of these; anything else, and any
body of another shape, is no match. Nothing here raises for a body.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import SupportsIndex

import msgspec

from control_plane.model.errors import NOT_JSON

#: Gives the new text for an old one; None takes the field, or the item of a list, away.
Replacement = Mapping[str, str] | Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One alternative of a segment."""

    name: str
    each: bool = False
    key: str = ""
    values: tuple[str, ...] = ()
    parts: bool = False
    encoded: bool = False

    def admits(self, item: object) -> bool:
        """Whether the filter, if there is one, lets an item pass."""
        return not self.key or (isinstance(item, dict) and item.get(self.key) in self.values)


_Steps = tuple[tuple[_Step, ...], ...]


class _Parts(list[object]):
    """The parts of a text with commas; what is changed here is changed in the text."""

    def __init__(self, holder: dict[str, object], key: str) -> None:
        super().__init__(part.strip() for part in str(holder[key]).split(",") if part.strip())
        self._holder = holder
        self._key = key

    def __setitem__(self, position: SupportsIndex | slice, part: object) -> None:
        super().__setitem__(position, part)  # type: ignore[index]
        self._write()

    def __delitem__(self, position: SupportsIndex | slice) -> None:
        super().__delitem__(position)
        self._write()

    def _write(self) -> None:
        self._holder[self._key] = ",".join(map(str, self))


def references(body: object, path: str) -> Iterator[str]:
    """Iterate over each non-empty text a path points to, numbers as text."""
    steps = _compiled(path)
    return iter(()) if _leads_nowhere(body, steps) else _texts(body, steps)


def _texts(body: object, steps: _Steps) -> Iterator[str]:
    for holder, key in _slots(body, steps):
        text = _text(holder[key])  # type: ignore[index]  # a slot fits its holder
        if text:
            yield text


def replace(body: object, path: str, replacement: Replacement) -> int:
    """Replace in place each text a path points to, and say how many were changed."""
    steps = _compiled(path)
    if _leads_nowhere(body, steps):
        return 0
    changed = 0
    removed: list[tuple[dict[str, object] | list[object], str | int]] = []
    for holder, key in list(_slots(body, steps)):
        old = _text(holder[key])  # type: ignore[index]
        if not old:
            continue
        new = replacement.get(old, old) if isinstance(replacement, Mapping) else replacement(old)
        if new is None:
            removed.append((holder, key))
        elif new != old:
            holder[key] = new  # type: ignore[index]
        changed += new != old
    # From the end, so that the positions of the others in a list stay what they are.
    for holder, key in reversed(removed):
        del holder[key]  # type: ignore[arg-type]
    return changed


def _leads_nowhere(body: object, steps: _Steps) -> bool:
    """Whether a path is seen to end early: a create's row has twenty, and a body has few fields.

    False does not say that there is something: behind a list, or a text that is to be decoded,
    this does not look.
    """
    for alternatives in steps:
        if not isinstance(body, dict):
            return False
        if len(alternatives) > 1:
            return all(step.name not in body for step in alternatives)
        name = alternatives[0].name
        if name not in body:
            return True
        body = body[name]
    return False


_Slot = tuple[dict[str, object] | list[object], str | int]


def _slots(body: object, steps: _Steps) -> Iterator[_Slot]:
    """Find the places of the values: an object and a key, or a list and a position."""
    if not isinstance(body, dict):
        return
    alternatives, following = steps[0], steps[1:]
    for step in alternatives:
        if step.name not in body:
            continue
        if not following:
            yield from _ends(body, step)
            continue
        value = _decoded(body[step.name]) if step.encoded else body[step.name]
        items = value if isinstance(value, list) and (step.each or step.key) else [value]
        if step.each and not isinstance(value, list):
            continue
        for item in items:
            if step.admits(item):
                yield from _slots(item, following)


def _ends(holder: dict[str, object], step: _Step) -> Iterator[_Slot]:
    """Find the places of the values a last step points to."""
    value = holder[step.name]
    if step.parts:
        value = _Parts(holder, step.name) if isinstance(value, str) else None
    if isinstance(value, list):
        yield from ((value, position) for position in range(len(value)))
    elif not step.each and not step.parts:
        yield holder, step.name


def _decoded(value: object) -> object:
    """Read an object from base64 of JSON; None when there is none in it."""
    try:
        return msgspec.json.decode(b64decode(value, validate=True))  # type: ignore[arg-type]
    except (TypeError, ValueError, binascii.Error, *NOT_JSON):
        return None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


@lru_cache(maxsize=512)
def _compiled(path: str) -> _Steps:
    return tuple(
        tuple(_step(alternative) for alternative in segment.split("|"))
        for segment in path.split(".")
    )


def _step(text: str) -> _Step:
    name, bracket, inside = text.partition("[")
    inside = inside.removesuffix("]")
    if not bracket:
        return _Step(name)
    if not inside:
        return _Step(name, each=True)
    if inside == ",":
        return _Step(name, parts=True)
    if inside == "base64":
        return _Step(name, encoded=True)
    key, _, values = inside.partition("=")
    return _Step(name, key=key, values=tuple(values.split(",")))
