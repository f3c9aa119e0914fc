"""What the control plane and its workers tell each other.

What a process holds in memory of what another may change, and how it hears of it:

| in memory | changed by | heard by |
|---|---|---|
| the view: pods, endpoints, who answers or lacks what | the control plane | `Start`, `Changed` |
| ids of copies | the worker that writes, the control plane for new pods | `CopiesChanged` |
| which pods have an image (half a minute) | the worker that makes one | `HoldersChanged` |
| which pod made an image | nobody keeps it: the store is asked | |
| owners of ids | nobody: a resource never changes its pod | |
| ids that nobody has (seconds) | creates; the store is asked first | |
| tokens (minutes) | Keystone, which tells nobody | |
| that a pod has a user's key pair (minutes) | nobody: a pod refuses what it does not have | |
| bindings (seconds) | creates; nothing is decided by what is kept | |
| that a project may have things in a pod | nobody: a row stays; lists ask the store | |
| in which pod whole lists had something (a minute) | what is made behind the gateway's back | |
| places in lists | the worker that gives a page; they only save work | `PlacesFound` |

Intents, shadows and rolls of lost pods are read from the database each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Metric

from control_plane.lists.cursor import ListKey
from control_plane.lists.sequence import Place
from control_plane.model.address import AnyAddress
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.settings import Settings


@dataclass(frozen=True, slots=True)
class Shown:
    """The view as the control plane has it, but for names, which each process knows itself."""

    fleet: Fleet
    facts: Mapping[str, PodFacts]
    behind: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, view: View) -> "Shown":
        """Take from a view what can be sent."""
        return cls(view.fleet, dict(view.facts), view.behind)

    def since(self, before: "Shown") -> "Changed":
        """Say what is not as it was before."""
        pods = {pod.name: pod for pod in before.fleet}
        return Changed(
            tuple(pod for pod in self.fleet if pods.pop(pod.name, None) != pod),
            # What is left of them.
            tuple(pods),
            {
                name: facts
                for name, facts in self.facts.items()
                if (known := before.facts.get(name)) is not facts and known != facts
            },
            self.behind,
        )

    def after(self, changed: "Changed") -> "Shown":
        """Give the view that a change leads to."""
        pods = {pod.name: pod for pod in self.fleet}
        pods.update((pod.name, pod) for pod in changed.pods)
        facts = {**self.facts, **changed.facts}
        for name in changed.gone:
            pods.pop(name, None)
            facts.pop(name, None)
        return Shown(Fleet.of(pods.values()), facts, changed.behind)


@dataclass(frozen=True, slots=True)
class Changed:
    """What of a view is new: a thousand pods are not told again because of one."""

    pods: tuple[Pod, ...]
    gone: tuple[str, ...]
    facts: Mapping[str, PodFacts]
    behind: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Start:
    """The first thing a worker hears; it answers `Started` or why it cannot."""

    number: int
    settings: Settings
    listen: AnyAddress
    words: AnyAddress
    shown: Shown


@dataclass(frozen=True, slots=True)
class Started:
    """The worker listens; empty `fault`, or why it does not."""

    fault: str = ""


@dataclass(frozen=True, slots=True)
class CopiesChanged:
    """The store has other ids of copies of a resource than before."""

    resource: str


@dataclass(frozen=True, slots=True)
class HoldersChanged:
    """A copy of a replicated thing was made or removed."""

    resource: str
    id: str


@dataclass(frozen=True, slots=True)
class PodSilent:
    """A pod did not answer a request; only the control plane is told, which looks at it."""

    pod: str


@dataclass(frozen=True, slots=True)
class PlacesFound:
    """Where the pods stand behind the last item of a page."""

    key: ListKey
    last: str
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Count:
    """Asks for a worker's metrics; it answers `Counted`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A worker's metrics since it began."""

    families: tuple[Metric, ...]
