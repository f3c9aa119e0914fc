"""What a pod has beyond its first page, in an order in which it must not be asked by a marker.

Behind a marker Nova loses servers that lack the value it sorts by, also alone, and even within a
page (`AT_ONCE`). So the rest is read to its end in an order of values that all things have, and of
what comes by only the next few of the order that is wanted are kept: what is held does not grow
with the list. What does not fit is read again when it is wanted.
"""

import heapq
from collections.abc import Awaitable, Callable

from control_plane.lists.batch import BATCH
from control_plane.lists.page import Item, Page
from control_plane.lists.position import Position
from control_plane.lists.sequence import TOP, Place

#: Gives the page of one pod that begins at a place in the order that loses nothing.
Steady = Callable[[Place], Awaitable[Page]]

_Key = tuple[bool, Position]


def _key(item: Item) -> _Key:
    """Say where an item sorts in its pod; positions end with the id, so that none are equal."""
    return not item.leads, item.position


class Remainder:
    """Gives what follows a pod's first page, a batch at a time."""

    def __init__(
        self, first: Page, read: Steady, behind: Position | None = None, batch: int = BATCH
    ) -> None:
        """Take the pod's first page, and the place in its order that the list goes on behind.

        What stands up to that place can be left out when all of the first page does. Where it does
        not, something of the rest may still come behind that place, as the pod counts.
        """
        self._first = first
        self._read = read
        self._behind = behind
        self._batch = batch
        #: What the first page gave; read when something beyond it is wanted.
        self._given: set[str] | None = None
        #: What is wanted does not sort before this.
        self._from: _Key | None = None
        self._last: _Key | None = None

    def _begin(self) -> set[str]:
        behind = None if self._behind is None else (True, self._behind)
        if behind is not None and all(_key(item) < behind for item in self._first.items):
            self._from = behind
        return {item.id for item in self._first.items}

    async def page(self) -> Page:
        """Read all and give the next batch; raises what reading raises, and can be asked again."""
        given = self._given = self._given or self._begin()
        kept: list[Item] = []
        over = False
        page, place = self._first, TOP
        while page.more and len(page.items):
            page = await self._read(place)
            items = list(page.items)
            kept += (item for item in items if item.id not in given and self._follows(item))
            over = over or len(kept) > self._batch
            kept = heapq.nsmallest(self._batch, kept, _key)
            place = Place(items[-1].id if items else None, 1)
        if kept:
            self._last = _key(kept[-1])
        return Page(tuple(kept), over)

    def _follows(self, item: Item) -> bool:
        """Whether an item stands behind what was given, and where the list goes on."""
        key = _key(item)
        if self._last is not None:
            return key > self._last
        return self._from is None or key >= self._from
