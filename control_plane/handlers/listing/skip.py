"""Leave out of a merged list what stands up to the marker, and then what the offset skips."""

from collections.abc import Callable

from control_plane.handlers.listing.resume import Resumed
from control_plane.lists.merge import Merge, Merged


class Skip:
    """Goes through the head of a merge; what is not left out is given by the merge again."""

    def __init__(
        self,
        resumed: Resumed,
        offset: int,
        is_marker: Callable[[Merged], bool],
        *,
        lenient: bool,
    ) -> None:
        """Take where the list goes on; `lenient`: a marker that nobody knows is none."""
        self._place = resumed.place
        self._offset = offset
        self._is_marker = is_marker
        self._lenient = lenient
        self._waiting = resumed.skip is not None
        self._skipped: list[Merged] = []

    async def through(self, merge: Merge) -> bool:
        """Skip; False when the marker did not come and has no place."""
        while self._waiting or self._offset:
            for merged in merge.run():
                if not self._leaves_out(merged):
                    merge.give_again([merged])
                    return True
                if not self._waiting and not self._offset:
                    return True
            if not await merge.read_on():
                break
        if self._waiting and self._lenient:
            merge.give_again(self._skipped[self._offset :])
            return True
        # Where a marker that is gone has its place, that may be the end of the list.
        return not self._waiting or self._place is not None

    def _leaves_out(self, merged: Merged) -> bool:
        if self._waiting and self._is_marker(merged):
            self._waiting = False
            return True
        if self._waiting and self._is_behind(merged):
            self._waiting = False
        if self._waiting:
            if self._lenient:
                self._skipped.append(merged)
            return True
        if self._offset:
            self._offset -= 1
            return True
        return False

    def _is_behind(self, merged: Merged) -> bool:
        """Whether an item sorts behind the marker's place; what leads the list never does."""
        place = self._place
        return place is not None and not merged.item.leads and place < merged.item.position
