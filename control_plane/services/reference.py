"""Read and replace what a body path points to.

A path is segments with dots between them. A segment is the name of a field, or several names with
bars between them of which each is tried. `name[]` means each item of the list, and
`name[key=v1,v2]` the items (or the object itself, where there is no list) whose `key` has one of
the values. What a path points to is a text, a number, or a list of these; anything else, and any
body of another shape, is no match. Nothing here raises for a body.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

#: Gives the new text for an old one; None takes the field, or the item of a list, away.
Replacement = Mapping[str, str] | Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One alternative of a segment."""

    name: str
    each: bool = False
    key: str = ""
    values: tuple[str, ...] = ()

    def admits(self, item: object) -> bool:
        """Whether the filter, if there is one, lets an item pass."""
        return not self.key or (isinstance(item, dict) and item.get(self.key) in self.values)


def references(body: object, path: str) -> Iterator[str]:
    """Yield each non-empty text a path points to, numbers as text."""
    for holder, key in _slots(body, _compiled(path)):
        text = _text(holder[key])  # type: ignore[index]  # a slot fits its holder
        if text:
            yield text


def replace(body: object, path: str, replacement: Replacement) -> int:
    """Replace in place each text a path points to, and say how many were changed."""
    changed = 0
    removed: list[tuple[dict[str, object] | list[object], str | int]] = []
    for holder, key in list(_slots(body, _compiled(path))):
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


_Slot = tuple[dict[str, object] | list[object], str | int]


def _slots(body: object, steps: tuple[tuple[_Step, ...], ...]) -> Iterator[_Slot]:
    """Find the places of the values: an object and a key, or a list and a position."""
    if not isinstance(body, dict):
        return
    alternatives, following = steps[0], steps[1:]
    for step in alternatives:
        if step.name not in body:
            continue
        value = body[step.name]
        if not following:
            if isinstance(value, list):
                yield from ((value, position) for position in range(len(value)))
            elif not step.each:
                yield body, step.name
            continue
        items = value if isinstance(value, list) and (step.each or step.key) else [value]
        if step.each and not isinstance(value, list):
            continue
        for item in items:
            if step.admits(item):
                yield from _slots(item, following)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


@lru_cache(maxsize=512)
def _compiled(path: str) -> tuple[tuple[_Step, ...], ...]:
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
    key, _, values = inside.partition("=")
    return _Step(name, key=key, values=tuple(values.split(",")))
