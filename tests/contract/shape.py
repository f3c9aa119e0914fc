"""Compare two answers by their shape: keys and types of JSON, the values left out.

All items of a list count as one: a key that only some items have may be missing elsewhere. Nothing
is known about null, which fits everything, nor about what an empty list would hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Mappings whose keys are data: names of hosts, zones, labels.
_MAPS = frozenset({"hosts", "services"})
_SCALARS = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


@dataclass(slots=True)
class Shape:
    """The shape of one value, or of several that stand in the same place."""

    types: set[str] = field(default_factory=set)
    #: How many mappings were seen here, and in how many of them each key was.
    seen: int = 0
    count: dict[str, int] = field(default_factory=dict)
    keys: dict[str, "Shape"] = field(default_factory=dict)
    items: "Shape | None" = None

    def add(self, value: Any, name: str = "") -> "Shape":
        """Take in one more value; `name` is the key it stands under."""
        if isinstance(value, Mapping):
            self.types.add("object")
            if name in _MAPS:
                self._add_items(value.values())
                return self
            self.seen += 1
            for key, entry in value.items():
                self.count[key] = self.count.get(key, 0) + 1
                self.keys.setdefault(key, Shape()).add(entry, key)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            self.types.add("array")
            self._add_items(value)
        elif value is not None:
            self.types.add(next(name for kind, name in _SCALARS if isinstance(value, kind)))
        return self

    def _add_items(self, values: Any) -> None:
        for entry in values:
            self.items = (self.items or Shape()).add(entry)


def differences(found: Shape, wanted: Shape, place: str = "answer") -> Iterator[str]:
    """Tell where a shape is not as wanted, one line each."""
    if found.types and wanted.types and not found.types <= wanted.types:
        yield f"{place}: {'/'.join(sorted(found.types))}, not {'/'.join(sorted(wanted.types))}"
        return
    if found.seen and wanted.seen:
        for key in sorted(found.keys.keys() - wanted.keys.keys()):
            yield f"{place}.{key}: not in the pod's answer"
        for key, shape in sorted(wanted.keys.items()):
            if key in found.keys:
                yield from differences(found.keys[key], shape, f"{place}.{key}")
            if wanted.count[key] == wanted.seen and found.count.get(key, 0) < found.seen:
                yield f"{place}.{key}: missing"
    if found.items is not None and wanted.items is not None:
        yield from differences(found.items, wanted.items, f"{place}[]")
    elif "array" in found.types and wanted.items is not None:
        yield f"{place}: empty"
