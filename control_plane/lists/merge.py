"""Merge the pods' sequences into one, as Nova merges its cells.

Each pod keeps its own order and only the heads are compared, because a pod's list need not be
sorted by what it shows: Nova puts servers without a host first, and compares microseconds where
it shows seconds.
"""

import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from control_plane.lists.page import Item, Page
from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Merged:
    """One item of the merged list and the pod it came from."""

    pod: Pod
    item: Item


#: Gives the page of a pod after an item, or the first.
Fetch = Callable[[Pod, str | None], Awaitable[Page]]


class _Sequence:
    """One pod's items, page after page."""

    def __init__(self, pod: Pod, page: Page, fetch: Fetch) -> None:
        self._pod = pod
        self._fetch = fetch
        self._page = page
        self._next = 0

    async def advance(self) -> Item | None:
        while self._next >= len(self._page.items):
            if not self._page.more or not self._page.items:
                return None
            self._page = await self._fetch(self._pod, self._page.items[-1].id)
            self._next = 0
        item = self._page.items[self._next]
        self._next += 1
        return item


async def merge(first: list[tuple[Pod, Page]], fetch: Fetch) -> AsyncIterator[Merged]:
    """Yield the items of all pods in order, each identity once; reads pages only as consumed.

    `first` are the pods' first pages in the fleet's order, which decides between equal items. A
    failure of `fetch` ends the merge with its error.
    """
    sequences = [_Sequence(pod, page, fetch) for pod, page in first]
    heap: list[tuple[tuple[object, ...], int, Item]] = []
    for index, sequence in enumerate(sequences):
        item = await sequence.advance()
        if item is not None:
            heap.append((item.position, index, item))
    heapq.heapify(heap)
    seen: set[str] = set()
    while heap:
        _, index, item = heap[0]
        following = await sequences[index].advance()
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following.position, index, following))
        if item.identity not in seen:
            seen.add(item.identity)
            yield Merged(first[index][0], item)
