"""What a worker tells of pods that did not answer it: the control plane looks at them rarely."""

import math
import time
from collections.abc import Callable
from typing import Protocol

#: How often one pod is told of, seconds.
AGAIN_SECONDS = 1.0


class Observer(Protocol):
    """Counts failures."""

    def pod_error(self, pod: str, reason: str) -> None:
        """Count one request a pod did not answer."""


class Suspicion:
    """Counts requests that pods did not answer, and tells of each pod once a second."""

    def __init__(
        self,
        observer: Observer,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what counts, and what tells the control plane."""
        self._observer = observer
        self._tell = tell
        self._clock = clock
        self._told: dict[str, float] = {}

    def pod_error(self, pod: str, reason: str) -> None:
        """Count one request a pod did not answer, and have the pod looked at."""
        self._observer.pod_error(pod, reason)
        self.of(pod)

    def of(self, pod: str) -> None:
        """Have a pod looked at."""
        now = self._clock()
        if now >= self._told.get(pod, -math.inf) + AGAIN_SECONDS:
            self._told[pod] = now
            self._tell(pod)
