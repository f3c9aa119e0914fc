"""Merge the pods' sequences into one, as Nova merges its cells.

Each pod keeps its own order and only the heads are compared, because a pod's list need not be
sorted by what it shows: Nova puts servers without a host first, and compares microseconds where
it shows seconds. What comes next therefore follows from where each sequence stands, and from
nothing else.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from control_plane.lists import sequence
from control_plane.lists.page import Item
from control_plane.lists.position import Position
from control_plane.model.pod import Pod


class Merged(msgspec.Struct, frozen=True, gc=False):
    """One item of the merged list and the pod it came from; a Struct as `Item` is."""

    pod: Pod
    item: Item


class Merge:
    """The items of all pods in order; pages are read only as they are consumed.

    Items come from `run`, as far as what was read reaches, and `read_on` reads what it lacks; so a
    list that is held costs no turn of the event loop an item. When an item is given, its sequence
    stands behind it.
    """

    def __init__(self, sequences: Sequence[sequence.Sequence], *, copies: bool = False) -> None:
        """Take the sequences, whose order decides between equal items.

        With `copies` an identity is given once.
        """
        self._sequences = sequences
        self._copies = copies
        self._seen: set[str] = set()
        self._heap: list[tuple[bool, Position, int, Item]] = []
        #: Sequences whose heads are not in the heap, as all are at first.
        self._behind = list(range(len(sequences)))
        self._again: deque[Merged] = deque()

    def holds(self, most: int | None) -> bool:
        """Whether `most` items, or all there are (None), can be given and nothing be asked."""
        return all(entry.holds(most) for entry in self._sequences)

    def give_again(self, items: Iterable[Merged]) -> None:
        """Let items that were given come once more, before what follows."""
        self._again.extend(items)

    def run(self) -> Iterator[Merged]:
        """Give items until one is not there without asking a pod, or none is left."""
        heap, sequences, behind = self._heap, self._sequences, self._behind
        copies, seen = self._copies, self._seen
        while self._again:
            yield self._again.popleft()
        while True:
            while behind:
                index = behind[-1]
                entry = sequences[index]
                item = entry.ready()
                if item is None and not entry.holds(None):
                    return
                behind.pop()
                if item is None:
                    continue
                heapq.heappush(heap, (*entry.position(item), index, item))
            if not heap:
                return
            _, _, index, item = heap[0]
            entry = sequences[index]
            following = entry.advance()
            if following is None:
                heapq.heappop(heap)
                behind.append(index)
            else:
                heapq.heapreplace(heap, (*entry.position(following), index, following))
            if copies:
                if item.identity in seen:
                    continue
                seen.add(item.identity)
            yield Merged(entry.pod, item)

    async def read_on(self, wanted: int | None = None) -> bool:
        """Ask for what `run` stopped before; False when that was the end.

        Pods that will be asked before `wanted` more are given, if they go on as they did, are asked
        at the same time: where a few have most of a list, all of them run out of it by turns.
        """
        behind = self._behind
        while behind:
            entry = self._sequences[behind[-1]]
            if wanted:
                await self._read_ahead(entry, wanted)
            if await entry.head() is not None:
                break
            behind.pop()
        return bool(self._again or behind or self._heap)

    async def _read_ahead(self, lacking: sequence.Sequence, wanted: int) -> None:
        """Ask several pods at once; who refuses is asked again when it is its turn."""
        given = sum(entry.taken for entry in self._sequences)
        low = [
            entry
            for entry in self._sequences
            if entry is lacking or entry.left * given < wanted * entry.taken
        ]
        if len(low) > 1:
            await asyncio.gather(*(entry.read_ahead() for entry in low), return_exceptions=True)
