"""When each pod is looked at: whether it answers, and which versions it speaks."""

import math
import time
from collections.abc import Callable, Iterable

from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts

#: How often a pod is looked at, seconds.
VERSIONS_SECONDS = 10.0
#: The same for a pod that does not answer or has just come: Envoy may not have its cluster yet.
IMPATIENT_SECONDS = 1.0
#: The most pods that are well to be looked at a second. Of a large fleet each is looked at more
#: rarely: one that is silent is noticed by the first request it does not answer (`soon`).
A_SECOND = 5.0
#: How many pods are looked at at once, so that a thousand of them do not keep others waiting.
_AT_ONCE = 200


class Looks:
    """Remembers when each pod was looked at."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with no pods."""
        self._clock = clock
        self._at: dict[str, float] = {}
        self._soon: set[str] = set()

    def note(self, pods: Iterable[Pod]) -> None:
        """Note that pods are looked at now."""
        now = self._clock()
        for pod in pods:
            self._at[pod.name] = now
            self._soon.discard(pod.name)

    def forget(self, pod: str) -> None:
        """Have a pod looked at that has moved."""
        self._at.pop(pod, None)

    def soon(self, pod: str) -> bool:
        """Have a pod looked at that did not answer; False when that is about to be anyway."""
        late = self._clock() >= self._at.get(pod, -math.inf) + IMPATIENT_SECONDS
        if pod in self._soon or not late:
            return False
        self._soon.add(pod)
        return True

    def due(
        self, pods: tuple[Pod, ...], facts: Callable[[str], PodFacts | None], every: float
    ) -> list[Pod]:
        """Find the pods to look at now, those first that have waited longest.

        Of those that are well so many as keep the pace when this is asked `every` so many seconds.
        """
        patience = max(VERSIONS_SECONDS, len(pods) / A_SECOND)
        now = self._clock()
        well: list[tuple[float, Pod]] = []
        waiting: list[tuple[float, Pod]] = []
        for pod in pods:
            at = self._at.get(pod.name, -math.inf)
            if _is_well(facts(pod.name)) and pod.name not in self._soon:
                if now >= at + patience:
                    well.append((at, pod))
            elif now >= at + IMPATIENT_SECONDS:
                waiting.append((at, pod))
        first = sorted(waiting, key=_since)[:_AT_ONCE]
        pace = math.ceil(len(pods) * every / patience)
        return [pod for _, pod in (*first, *sorted(well, key=_since)[:pace])]


def _is_well(facts: PodFacts | None) -> bool:
    return facts is not None and bool(facts.versions) and not facts.misses


def _since(entry: tuple[float, Pod]) -> float:
    return entry[0]
