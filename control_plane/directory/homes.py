"""In which pods whole lists of projects were last seen to have something.

Presence knows what was made by way of the gateway. What was made in a pod behind its back is seen
when all pods are asked; that was seen of a list a short while ago is what this keeps.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

#: For how long it is believed that nothing was made in a pod behind the gateway's back, seconds.
SECONDS = 60.0
#: Lists that are kept.
_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class HomeKey:
    """The lists of one kind of thing of a project."""

    project_id: str
    service: str
    resource: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The only pod that had something, empty when none had, and all that were asked."""

    pod: str
    asked: tuple[str, ...]
    until: float


class Homes:
    """Keeps what was seen, in one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing seen."""
        self._clock = clock
        self._seen: OrderedDict[HomeKey, Seen] = OrderedDict()

    def learn(self, key: HomeKey, having: Collection[str], asked: tuple[str, ...]) -> None:
        """Keep which pods had something, of all that were asked, none of which was silent."""
        if len(having) > 1:
            self._seen.pop(key, None)
            return
        self._seen[key] = Seen(next(iter(having), ""), asked, self._clock() + SECONDS)
        self._seen.move_to_end(key)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def of(self, key: HomeKey) -> Seen | None:
        """Give what was seen; None when that was too long ago, or several pods had something."""
        seen = self._seen.get(key)
        if seen is not None and seen.until <= self._clock():
            del self._seen[key]
            return None
        return seen
