"""Merge the pods' sequences into one, as Nova merges its cells.

Each pod keeps its own order and only the heads are compared, because a pod's list need not be
sorted by what it shows: Nova puts servers without a host first, and compares microseconds where
it shows seconds. What comes next therefore follows from where each sequence stands, and from
nothing else.
"""

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from control_plane.lists import sequence
from control_plane.lists.page import Item, Position
from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Merged:
    """One item of the merged list and the pod it came from."""

    pod: Pod
    item: Item


async def merge(
    sequences: Sequence[sequence.Sequence], *, copies: bool = False
) -> AsyncIterator[Merged]:
    """Yield the items of all pods in order; reads pages only as consumed.

    The order of `sequences` decides between equal items. With `copies` an identity is yielded
    once. When an item is yielded its sequence stands behind it.
    """
    heap: list[tuple[Position, int, Item]] = []
    for index, entry in enumerate(sequences):
        item = await entry.head()
        if item is not None:
            heap.append((entry.position(item), index, item))
    heapq.heapify(heap)
    seen: set[str] = set()
    while heap:
        _, index, item = heap[0]
        entry = sequences[index]
        entry.consume()
        if item.identity not in seen:
            if copies:
                seen.add(item.identity)
            yield Merged(entry.pod, item)
        following = await entry.head()
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (entry.position(following), index, following))
