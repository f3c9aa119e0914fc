"""Replace a few fields of an item in its raw JSON.

Of an item of some fifty fields three or four change; taking them all apart and writing them again
costs three times as much as finding those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from control_plane.services.field import change

#: How long a value may be to be remembered, and how many are, bytes.
_SHORT = 200
_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a resource: how to see fast that it is absent, and what becomes of it."""

    path: str
    first: str
    mark: bytes
    new: Callable[[Any], Any]
    #: What short values of the field became: many items of a list say the same.
    known: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Whether the whole value of a field of the item changes."""
        return self.path == self.first

    def of(self, old: bytes) -> bytes:
        """Give what becomes of the field's value, both as JSON."""
        new = self.known.get(old)
        if new is None:
            new = self._new(old)
            if len(old) <= _SHORT and len(self.known) < _KNOWN:
                self.known[old] = new
        return new

    def _new(self, old: bytes) -> bytes:
        value = msgspec.json.decode(old)
        if self.is_flat:
            changed = self.new(value)
            return old if changed == value else msgspec.json.encode(changed)
        holder = {self.first: value}
        return (
            msgspec.json.encode(holder[self.first]) if change(holder, self.path, self.new) else old
        )


@lru_cache(maxsize=256)
def _type(fields: tuple[str, ...]) -> type[Any]:
    """Make the type that reads some fields of an item as they are."""
    kept = msgspec.Raw | msgspec.UnsetType
    names = [(f"field_{index}", kept, msgspec.UNSET) for index in range(len(fields))]
    rename = {f"field_{index}": name for index, name in enumerate(fields)}
    return msgspec.defstruct("ChangedFields", names, rename=rename, gc=False)


class Splice:
    """Changes fields of items where they stand."""

    def __init__(self, changes: Sequence[Change]) -> None:
        """Take changes of whole fields, each of another one."""
        self._decoder = msgspec.json.Decoder(_type(tuple(entry.first for entry in changes)))
        self._changes = [
            (attrgetter(f"field_{index}"), entry, entry.known, entry.mark)
            for index, entry in enumerate(changes)
        ]

    def item(self, raw: bytes) -> bytes | None:
        """Change an item; None when it cannot be told where a field stands."""
        fields = self._decoder.decode(raw)
        for read, entry, known, mark in self._changes:
            value = read(fields)
            if value is msgspec.UNSET:
                continue
            old = bytes(value)
            new = known.get(old) or entry.of(old)
            if new == old:
                continue
            start = _place(raw, mark, old)
            if start < 0:
                return None
            raw = b"%b%b%b" % (raw[:start], new, raw[start + len(old) :])
        return raw


def _place(raw: bytes, mark: bytes, value: bytes) -> int:
    """Find where the value of a field of the item begins; -1 when its name stands elsewhere too.

    A user's metadata may have a key of the same name. Quotes inside of texts are escaped, so that
    no text can hold the mark.
    """
    at = raw.find(mark)
    behind = at + len(mark)
    if at < 0 or raw.find(mark, behind) >= 0:
        return -1
    # As Python's own writer puts it, which is what services use.
    if raw.startswith(b": ", behind) and raw.startswith(value, behind + 2):
        return behind + 2
    start = raw.find(value, behind)
    return start if raw[behind:start].strip() == b":" else -1
