"""How much a project may have all pods asked about ids that nobody has.

One request for an id that is not known becomes one to every pod. Whoever guesses ids would turn
the gateway into an amplifier; a question that finds something costs nothing.
"""

import math
import time
from collections.abc import Callable
from http import HTTPStatus

from control_plane.model.errors import Refused

#: Questions that found nothing: so many at once, and so many a second for ever.
BURST = 200.0
PER_SECOND = 10.0
PROJECTS = 10_000


class Allowance:
    """A bucket of tokens a project."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with every bucket full."""
        self._clock = clock
        #: What was in a project's bucket, and when. A project that is not here has a full one.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, project_id: str) -> None:
        """Take a token; Refused(429) when there is none.

        Not 404: that would say of a resource made in a pod behind the gateway's back that it is
        gone, and tools that believe it make another.
        """
        left = self._now(project_id)
        if left < 1:
            seconds = math.ceil((1 - left) / PER_SECOND)
            message = "Too many unknown ids were asked for; try again in a moment."
            headers = {"retry-after": str(seconds)}
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, message, headers)
        self._put(project_id, left - 1)

    def give_back(self, project_id: str) -> None:
        """Put a token back, since the question found something."""
        self._put(project_id, min(BURST, self._now(project_id) + 1))

    def _now(self, project_id: str) -> float:
        left, at = self._left.get(project_id, (BURST, 0.0))
        return min(BURST, left + (self._clock() - at) * PER_SECOND)

    def _put(self, project_id: str, left: float) -> None:
        if left >= BURST:
            self._left.pop(project_id, None)
            return
        if len(self._left) >= PROJECTS and project_id not in self._left:
            full = [entry for entry in self._left if self._now(entry) >= BURST]
            # Nobody is full: forget the one that has waited longest.
            for entry in full or [next(iter(self._left))]:
                del self._left[entry]
        self._left[project_id] = (left, self._clock())
