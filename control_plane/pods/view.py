"""The pods and their facts at one moment, and what follows from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.microversion import MicroversionRange, shared_range
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts

Found = TypeVar("Found")


class Names(Protocol):
    """Knows what users call what pods invent ids for."""

    def user_id(self, resource: str, pod: str, pod_id: str) -> str:
        """Give the id users see."""


class OwnNames:
    """Lets every pod's own ids stand."""

    def user_id(self, resource: str, pod: str, pod_id: str) -> str:  # noqa: ARG002
        """Give the pod's id."""
        return pod_id


@dataclass(frozen=True, slots=True)
class View:
    """The pods and their facts at one moment."""

    fleet: Fleet = field(default_factory=Fleet)
    facts: Mapping[str, PodFacts] = field(default_factory=dict)
    #: Services of pods that have not been told everything yet.
    behind: frozenset[tuple[str, str]] = frozenset()
    names: Names = field(default_factory=OwnNames, compare=False)
    #: What requests asked of the view: it never changes, so neither does what follows from it.
    _worked_out: dict[tuple[str, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def endpoint(self, pod: str, service: str) -> Endpoint | None:
        """Find where a service of a pod stands."""
        facts = self.facts.get(pod)
        return facts.endpoints.get(service) if facts else None

    def with_service(self, service: str) -> tuple[Pod, ...]:
        """Find the serving pods that have a service, in the fleet's order."""
        return self._once("with service", service, self._with_service)

    def having(self, service: str) -> frozenset[str]:
        """Name the serving pods that have a service."""
        return self._once("having", service, self._having)

    def reachable(self, pod: str) -> bool:
        """Whether the pod answered when it was last looked at."""
        facts = self.facts.get(pod)
        return facts.reachable if facts else False

    @property
    def answering(self) -> frozenset[str]:
        """The pods that answered when they were last looked at."""
        return self._once("answering", "", self._answering)

    @property
    def arriving(self) -> frozenset[str]:
        """The pods that do not have the definitions of the others yet."""
        return self._once("arriving", "", self._arriving)

    def unready(self, service: str) -> frozenset[str]:
        """Find the pods that must not take creates of a service, since they lack definitions."""
        return self._once("unready", service, self._unready)

    def needs(self, pod: str, service: str) -> bool:
        """Whether a pod is still to be given the definitions of a service."""
        facts = self.facts.get(pod)
        return facts is not None and (not facts.ready or service in facts.lacks)

    def version_range(self, service: str) -> MicroversionRange | None:
        """Intersect the microversions of a service over its pods; None when none is known."""
        return self._once("version ranges", "", self._version_ranges).get(service)

    def _once(self, what: str, of: str, work: Callable[[str], Found]) -> Found:
        """Work something out when it is first asked for."""
        key = (what, of)
        try:
            found: Found = self._worked_out[key]
        except KeyError:
            found = self._worked_out[key] = work(of)
        return found

    def _with_service(self, service: str) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.fleet.serving if self.endpoint(pod.name, service))

    def _having(self, service: str) -> frozenset[str]:
        return frozenset(pod.name for pod in self.with_service(service))

    def _answering(self, _: str) -> frozenset[str]:
        return frozenset(pod.name for pod in self.fleet if self.reachable(pod.name))

    def _arriving(self, _: str) -> frozenset[str]:
        return frozenset(
            pod.name
            for pod in self.fleet.serving
            if pod.name in self.facts and not self.facts[pod.name].settled
        )

    def _unready(self, service: str) -> frozenset[str]:
        arriving = {pod for pod in self.arriving if self.needs(pod, service)}
        return frozenset(arriving | {pod for pod, name in self.behind if name == service})

    def _version_ranges(self, _: str) -> Mapping[str, MicroversionRange | None]:
        # Pods that speak the same share the object: few are compared.
        found: dict[str, dict[int, MicroversionRange]] = {}
        for pod in self.fleet.serving:
            facts = self.facts.get(pod.name)
            for service, versions in facts.versions.items() if facts else ():
                found.setdefault(service, {})[id(versions)] = versions
        return {service: shared_range(ranges.values()) for service, ranges in found.items()}

    @property
    def endpoints(self) -> dict[str, Mapping[str, Endpoint]]:
        """All endpoints by pod and then by service, as the snapshot builder takes them."""
        return {
            pod.name: self.facts[pod.name].endpoints for pod in self.fleet if pod.name in self.facts
        }
