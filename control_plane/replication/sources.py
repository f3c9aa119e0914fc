"""From which of the ready pods the definitions are taken that a new pod is to have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Ready:
    """A pod that takes creates, since when, and what of the others' it is known to lack."""

    pod: Pod
    since: datetime
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """The pods that are asked what there is of a service, by its name.

    Those in `first` together have all that was made by way of the gateway; those in `own` have
    something else.
    """

    first: dict[str, list[Pod]]
    own: dict[str, list[Pod]]

    def of(self, service: str, without: Pod | None = None) -> list[Pod]:
        """Give them; what one pod has of its own is no reason to ask it if it is left out."""
        first = self.first[service]
        return [*first, *(pod for pod in self.own[service] if pod not in (*first, without))]

    def note(self, service: str, pod: Pod, *, own: bool) -> None:
        """Keep whether a pod has something of its own."""
        others = [other for other in self.own[service] if other != pod]
        self.own[service] = [*others, pod] if own else others


def sources(ready: Sequence[Ready]) -> list[Pod]:
    """Pick pods that together have what all of them have, the one first that was ready first.

    A pod became ready when it had all that the others had, and is told every write since: the last
    one has everything. Where it lacks something, an older one is asked too. The first one is always
    asked: what it has are the users' definitions, whatever became of the last.
    """
    if not ready:
        return []
    ordered = sorted(ready, key=lambda entry: entry.since)
    last = ordered[-1].since
    # Some databases know the time to the second.
    chosen = [entry for entry in ordered if entry.since == last or entry is ordered[0]]
    lacking = frozenset.intersection(*(entry.lacks for entry in chosen))
    for entry in reversed(ordered):
        if not lacking:
            break
        if lacking - entry.lacks:
            lacking &= entry.lacks
            chosen.append(entry)
    return [entry.pod for entry in sorted(chosen, key=lambda entry: entry.since)]
