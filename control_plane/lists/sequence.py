"""One pod's part of a list, item after item, read page by page as it is consumed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from control_plane.lists.page import Item, Page
from control_plane.lists.position import Position
from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a pod's list one stands.

    `after` is the last item that was consumed, None at the top, and `taken` how many were since
    the top. `leading`: no item has been seen yet that does not lead. `done`: nothing follows.
    """

    after: str | None = None
    taken: int = 0
    leading: bool = True
    done: bool = False


#: Where every list begins.
TOP = Place()

#: Gives the page of a pod that begins at a place.
Fetch = Callable[[Pod, Place], Awaitable[Page]]


@dataclass(frozen=True, slots=True)
class Absent:
    """A marker that is in no page of its pod any more and still has a place in its list.

    It stands before `successor` (None: at the end), where `find` gives it when asked with the item
    that stands before it.
    """

    id: str
    successor: str | None
    find: Callable[[Item | None], Awaitable[Item]]


class Sequence:
    """One pod's items from a place on; holds a page, and at times the one behind it."""

    def __init__(
        self, pod: Pod, start: Place, page: Page | None, fetch: Fetch, absent: Absent | None = None
    ) -> None:
        """Begin at `start` with its page, if it was read already."""
        self.pod = pod
        self._fetch = fetch
        self._page = page
        self._count = 0 if page is None else len(page.items)
        self._next = 0
        #: The page behind this one, if it was read ahead.
        self._following: Page | None = None
        # The place in pieces: it is wanted once a page, and changes with each item.
        self._start = start
        self._taken = 0
        self._leading = start.leading
        self._absent = absent
        self._consumed: Item | None = None
        self._head: Item | None = None

    @property
    def place(self) -> Place:
        """Where the sequence stands: behind what was consumed."""
        if self._consumed is None:
            return self._start
        return Place(self._consumed.id, self._start.taken + self._taken, self._leading)

    @property
    def taken(self) -> int:
        """How many items were consumed since the start."""
        return self._taken

    @property
    def has_any(self) -> bool | None:
        """Whether anything was found at the start; None where nothing was read."""
        return bool(self._page.items) if self._page is not None else None

    @property
    def has_pages(self) -> bool:
        """Whether what was read at the start is not all."""
        return self._page is not None and self._page.more

    @property
    def left(self) -> int:
        """How many items can be given and nothing be asked."""
        ahead = 0 if self._following is None else len(self._following.items)
        return self._count - self._next + (self._head is not None) + ahead

    def ready(self) -> Item | None:
        """Give the next item if nothing must be asked for it; None says nothing of the end."""
        at, page = self._next, self._page
        if self._head is None and at < self._count and page is not None and self._absent is None:
            self._head = page.items[at]
            self._next = at + 1
        return self._head

    def holds(self, most: int | None) -> bool:
        """Whether `most` items, or all there are (None), can be given and nothing be asked."""
        page = self._page
        if self._absent is not None or page is None:
            return self._start.done
        return not (page.more and self._count) or (most is not None and most <= self.left)

    async def head(self) -> Item | None:
        """Give the next item without consuming it; None at the end."""
        if self.ready() is None:
            item = await self._read()
            absent = self._absent
            if item is not None and absent is not None and item.id == absent.id:
                self._absent = absent = None
            if absent is not None and (item is None or item.id == absent.successor):
                self._absent = None
                self._head = await absent.find(self._consumed)
            else:
                self._head = item
                self._next += item is not None
        return self._head

    def advance(self) -> Item | None:
        """Go past the head and give the next one as `ready` does."""
        item = self._head
        if item is not None:
            self._leading = self._leading and item.leads
            self._taken += 1
            self._consumed, self._head = item, None
        return self.ready()

    def position(self, item: Item) -> tuple[bool, Position]:
        """Say where the head sorts among the heads of other pods."""
        return not (self._leading and item.leads), item.position

    def finish(self) -> Place:
        """Say where the sequence stands, and whether that is known to be its end."""
        place, page = self.place, self._page
        over = page is not None and self._next >= self._count and not page.more
        if self._head is None and over:
            return Place(place.after, place.taken, place.leading, done=True)
        return place

    async def _read(self) -> Item | None:
        if self._start.done:
            return None
        if self._page is None:
            await self._turn()
        while (page := self._page) is not None and self._next >= self._count:
            if not page.more or not self._count:
                return None
            # What was read has been consumed: the place is behind its last item.
            await self._turn()
        return page.items[self._next] if page is not None else None

    async def read_ahead(self) -> None:
        """Read the page behind this one, if there may be one; then none is waited for later."""
        page = self._page
        if page is None or self._absent is not None or self._following is not None:
            return
        if page.more and self._count:
            taken = self._start.taken + self._taken + self.left
            place = Place(page.items[self._count - 1].id, taken, leading=False)
            self._following = await self._fetch(self.pod, place)

    async def _turn(self) -> None:
        """Go to the page that follows."""
        page = self._following or await self._fetch(self.pod, self.place)
        self._following = None
        self._page, self._count, self._next = page, len(page.items), 0
