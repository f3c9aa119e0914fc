"""Replace a few fields of an item in its raw JSON.

Of an item of some fifty fields three or four change; taking them all apart and writing them again
costs three times as much as finding those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from control_plane.handlers.wording import Worded
from control_plane.lists.page import raw_fields
from control_plane.services.field import change

#: How long a value may be to be remembered, bytes, and how many are, of each pod and field.
_SHORT = 200
_KNOWN = 200


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one field of a resource."""

    worded: Worded
    new: Callable[[Any], Any]
    #: What short values of the field became: many items say the same.
    known: dict[bytes, bytes] = field(default_factory=dict)

    def of(self, old: bytes) -> bytes:
        """Give what becomes of the field's value, both as JSON."""
        new = self.known.get(old)
        if new is None:
            new = self._new(old)
            if len(old) <= _SHORT:
                if len(self.known) >= _KNOWN:
                    self.known.clear()
                self.known[old] = new
        return new

    def _new(self, old: bytes) -> bytes:
        value = msgspec.json.decode(old)
        if self.worded.is_flat:
            changed = self.new(value)
            return old if changed == value else msgspec.json.encode(changed)
        first = self.worded.first
        holder = {first: value}
        if not change(holder, self.worded.path, self.new):
            return old
        return msgspec.json.encode(holder[first])


class Splice:
    """Changes fields of items where they stand."""

    def __init__(self, changes: Sequence[Change]) -> None:
        """Take changes of whole fields, each of another one."""
        names = tuple(entry.worded.first for entry in changes)
        self._decoder = msgspec.json.Decoder(raw_fields(names))
        self._fields = [attrgetter(f"field_{index}") for index in range(len(changes))]
        self._changes = [(entry, entry.known, entry.worded.mark) for entry in changes]

    def item(self, raw: bytes, values: Sequence[Any] = ()) -> bytes | None:
        """Change an item; None when it cannot be told where a field stands.

        `values` are those of the fields as JSON, or UNSET, where they were read already.
        """
        if not values:
            fields = self._decoder.decode(raw)
            values = [read(fields) for read in self._fields]
        found: list[tuple[int, int, bytes]] = []
        for value, (entry, known, mark) in zip(values, self._changes, strict=True):
            if value is msgspec.UNSET:
                continue
            old = bytes(value)
            new = known.get(old) or entry.of(old)
            if new == old:
                continue
            at = raw.find(mark)
            behind = at + len(mark)
            if at < 0 or raw.find(mark, behind) >= 0:
                # A user's metadata may have a key of the same name. Quotes inside of texts are
                # escaped, so that no text can hold the mark.
                return None
            # As Python's own writer puts it, which is what services use.
            start = behind + 2
            if not (raw.startswith(b": ", behind) and raw.startswith(old, start)):
                start = raw.find(old, behind)
                if raw[behind : max(start, behind)].strip() != b":":
                    return None
            found.append((start, start + len(old), new))
        return _replaced(raw, found) if found else raw


def _replaced(raw: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Put new values in the place of others."""
    changes.sort()
    parts: list[bytes] = []
    at = 0
    for start, stop, new in changes:
        parts += (raw[at:start], new)
        at = stop
    parts.append(raw[at:])
    return b"".join(parts)
