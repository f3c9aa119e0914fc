"""Take one page of a list out of a merge."""

from collections.abc import Iterator

from control_plane.directory.lookup import Directory
from control_plane.lists.merge import Merge, Merged
from control_plane.services.operation import Resource


class Taken:
    """The items of a page, `limit` at most, as they are taken.

    Each is taken once, and the directory learns whose it is. What is held already can be taken
    without a turn of the event loop, and so be written as it is merged.
    """

    def __init__(
        self, directory: Directory, resource: Resource, merge: Merge, limit: int | None
    ) -> None:
        """Begin where the merge stands."""
        self._directory = directory
        self._merge = merge
        self._limit = limit
        #: Whether a thing is in one pod alone, for ever.
        self._placed = bool(resource.probe) and not resource.replicated
        self._known: set[tuple[str, str]] = set()
        self.count = 0
        self.first: Merged | None = None
        self.last: Merged | None = None

    @property
    def full(self) -> bool:
        """Whether a client may come back for more."""
        return self._limit is not None and 0 < self._limit <= self.count

    @property
    def is_held(self) -> bool:
        """Whether the rest of the page can be taken and nothing be asked."""
        return self._merge.holds(self._left)

    @property
    def _left(self) -> int | None:
        return None if self._limit is None else self._limit - self.count

    def held(self) -> Iterator[Merged]:
        """Take what can be taken and nothing be asked."""
        if self._left == 0:
            return
        known, placed, learn = self._known, self._placed, self._directory.learn
        for merged in self._merge.run():
            if placed:
                name = (merged.item.id, merged.pod.name)
                # Nova shows a server twice that is placed between two pages of its pod.
                if name in known:
                    continue
                known.add(name)
                learn(*name)
            if not self.count:
                self.first = merged
            self.count += 1
            self.last = merged
            yield merged
            if self.count == self._limit:
                return

    async def read_on(self) -> bool:
        """Have read what is not held; False when the page is full or nothing follows."""
        return self.count != self._limit and await self._merge.read_on(self._left)
