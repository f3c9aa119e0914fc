"""Known owners in memory, bounded, and misses that are remembered for a short time."""

import sys
import time
from collections.abc import Callable

#: Entries a generation; two generations are kept.
GENERATION = 500_000
#: How long an id that no pod had is not asked about again, seconds.
MISS_SECONDS = 5.0
MISSES = 50_000


class OwnerMemory:
    """Two generations of `id → pod`: when the young one is full it becomes the old one.

    Cheaper than an LRU list and as good here, since an entry that is used is copied back into the
    young generation.
    """

    def __init__(self, generation: int = GENERATION) -> None:
        """Start empty."""
        self._generation = generation
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def get(self, resource_id: str) -> str | None:
        """Find the pod that owns an id."""
        pod = self._young.get(resource_id)
        if pod is None:
            pod = self._old.get(resource_id)
            if pod is not None:
                self.learn(resource_id, pod)
        return pod

    def learn(self, resource_id: str, pod: str) -> None:
        """Remember the pod that owns an id."""
        if len(self._young) >= self._generation and resource_id not in self._young:
            self._old, self._young = self._young, {}
        # Rows of the store bring the name anew each time: 60 octets an owner.
        self._young[resource_id] = sys.intern(pod)

    def __len__(self) -> int:
        """How many entries are held, those in both generations counted twice."""
        return len(self._young) + len(self._old)


class MissMemory:
    """Ids that no pod had when asked on behalf of a project, for `MISS_SECONDS`.

    Kept a project, because a pod hides from one project what another may see.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def __contains__(self, key: tuple[str, str]) -> bool:
        """Whether (project, id) was missed just now."""
        until = self._until.get(key)
        if until is None:
            return False
        if until <= self._clock():
            del self._until[key]
            return False
        return True

    def add(self, project_id: str, resource_id: str) -> None:
        """Remember a miss."""
        if len(self._until) >= MISSES:
            self._until.clear()
        self._until[project_id, resource_id] = self._clock() + MISS_SECONDS

    def forget(self, resource_id: str, project_id: str) -> None:
        """Drop a miss, because the id was just created."""
        self._until.pop((project_id, resource_id), None)
