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
