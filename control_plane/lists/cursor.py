"""Where each pod's list stood behind an item, for the client that comes back for what follows.

A cursor only saves work: without it, after a restart or in another replica, the same place is
found by merging from the start.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control_plane.lists.sequence import Place

#: How long a client may take for a page, seconds, and how many places are remembered.
CURSOR_SECONDS = 900.0
SIZE = 5_000


@dataclass(frozen=True, slots=True)
class ListKey:
    """One list of one caller: everything that decides what is in it and in which order."""

    service: str
    path: str
    user_id: str
    project_id: str
    version: str
    rest: tuple[tuple[str, str], ...]


#: Lets other processes know places, by list and last item, without being waited for.
Share = Callable[[ListKey, str, Mapping[str, Place]], None]


def _nobody(_: ListKey, __: str, ___: Mapping[str, Place]) -> None:
    """Tell no one: there is one process."""


class Cursors:
    """Remembers places by list and last item, the oldest forgotten first."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        size: int = SIZE,
        share: Share = _nobody,
    ) -> None:
        """Start empty."""
        self._clock = clock
        self._size = size
        self._share = share
        self._known: OrderedDict[tuple[ListKey, str], tuple[float, Mapping[str, Place]]] = (
            OrderedDict()
        )

    def put(self, key: ListKey, last: str, places: Mapping[str, Place]) -> None:
        """Remember where the pods, by name, stand behind the item `last`, here and elsewhere."""
        self.keep(key, last, places)
        self._share(key, last, places)

    def keep(self, key: ListKey, last: str, places: Mapping[str, Place]) -> None:
        """Remember it in this process."""
        self._known[key, last] = (self._clock() + CURSOR_SECONDS, places)
        self._known.move_to_end((key, last))
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def get(self, key: ListKey, last: str) -> Mapping[str, Place] | None:
        """Find the places behind an item; None when they were forgotten."""
        found = self._known.get((key, last))
        if found is None or found[0] <= self._clock():
            return None
        return found[1]

    def forget(self, key: ListKey, last: str) -> None:
        """Drop places that a pod does not know any more."""
        self._known.pop((key, last), None)
