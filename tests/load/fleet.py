"""What is true of the pods while they change, as those who check answers must know it."""

from dataclasses import dataclass, field

from tests.load.pods import StandIn


@dataclass(slots=True)
class Fleet:
    """The pods by number, and what may be said of each just now."""

    pods: dict[int, StandIn] = field(default_factory=dict)
    #: Pods whose ids may be answered 503.
    down: set[int] = field(default_factory=set)
    #: How often something began or ended; a request that saw it change may be answered either way.
    changes: int = 0
    _was_down: dict[int, int] = field(default_factory=dict)

    def add(self, pod: StandIn) -> None:
        """Count a pod in, or where it has moved, from when the gateway knows it everywhere."""
        self.pods[pod.number] = pod
        self.changes += 1

    def goes_down(self, number: int) -> None:
        """Expect 503 for what a pod has."""
        self.changes += 1
        self.down.add(number)

    def is_up(self, number: int) -> None:
        """Expect answers again; requests that began before now may still be refused."""
        self.changes += 1
        self._was_down[number] = self.changes
        self.down.discard(number)

    def may_fail(self, number: int, since: int) -> bool:
        """Whether a pod was down at any time since so many changes."""
        return number in self.down or self._was_down.get(number, -1) > since

    def any_may_fail(self, since: int) -> bool:
        """Whether any pod was down at any time since so many changes."""
        return any(self.may_fail(number, since) for number in tuple(self.pods))
