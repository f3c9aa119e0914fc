"""Prometheus metrics, all under one prefix; to add one, add a field and call it where it counts."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.exposition import generate_latest

__all__ = ["CONTENT_TYPE", "Metrics"]

_PREFIX = "trio2o"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Register all metrics."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            f"{_PREFIX}_requests",
            "Requests the processor decided, by kind of operation, service and result.",
            ("kind", "service", "result"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{_PREFIX}_decision_seconds",
            "Time from a request's headers to the decision, pods' own time included.",
            ("kind", "service"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._strayed = Counter(
            f"{_PREFIX}_lane_mismatches",
            "Requests that came on a lane whose answers nobody sees, and had to be seen.",
            ("service",),
            registry=self.registry,
        )
        self._lookups = Counter(
            f"{_PREFIX}_owner_lookups",
            "Look-ups of a resource's owner, by where it was found.",
            ("source",),
            registry=self.registry,
        )
        # Finding a child by its labels takes as long as all that is decided of a request.
        self._decided = lru_cache(maxsize=1024)(self._decided_by)
        self._looked_up = lru_cache(maxsize=16)(self._lookups.labels)
        self._pod_errors = Counter(
            f"{_PREFIX}_pod_errors",
            "Requests of the control plane that a pod did not answer.",
            ("pod", "reason"),
            registry=self.registry,
        )
        self._cached = Gauge(
            f"{_PREFIX}_owner_cache_entries",
            "Ids in the owner cache of the worker of an Envoy that asked last.",
            registry=self.registry,
        )
        self._pods = Gauge(f"{_PREFIX}_pods", "Pods by state.", ("state",), registry=self.registry)
        self._refusals = Counter(
            f"{_PREFIX}_xds_refusals",
            "Resources an Envoy refused (NACK), by type.",
            ("type",),
            registry=self.registry,
        )
        self._published = Gauge(
            f"{_PREFIX}_xds_snapshot_timestamp_seconds",
            "Time at which the newest snapshot was published, since the epoch.",
            registry=self.registry,
        )
        self._resources = Gauge(
            f"{_PREFIX}_xds_resources",
            "Resources in the newest snapshot, by type.",
            ("type",),
            registry=self.registry,
        )
        self._versions = Gauge(
            f"{_PREFIX}_xds_version_info",
            "Version of the newest snapshot by type, as a label; always 1.",
            ("type", "version"),
            registry=self.registry,
        )
        self._nodes = Gauge(
            f"{_PREFIX}_xds_nodes",
            "Envoys connected, by type and state of what they were sent.",
            ("type", "state"),
            registry=self.registry,
        )

    def _decided_by(self, kind: str, service: str, result: str) -> tuple[Counter, Histogram]:
        return self._requests.labels(kind, service, result), self._seconds.labels(kind, service)

    def request(self, kind: str, service: str, result: str, seconds: float) -> None:
        """Count one decided request."""
        count, times = self._decided(kind, service, result)
        count.inc()
        times.observe(seconds)

    def cached(self, entries: int) -> None:
        """Note how many ids the owner cache of an Envoy's worker holds."""
        self._cached.set(entries)

    def strayed(self, service: str) -> None:
        """Count one request on a wrong lane."""
        self._strayed.labels(service).inc()

    def looked_up(self, source: str) -> None:
        """Count one look-up of an owner."""
        self._looked_up(source).inc()

    def pod_error(self, pod: str, reason: str) -> None:
        """Count one request a pod did not answer."""
        self._pod_errors.labels(pod, reason).inc()

    def pods(self, states: dict[str, int]) -> None:
        """Set how many pods there are in each state."""
        self._pods.clear()
        for state, number in states.items():
            self._pods.labels(state).set(number)

    def refused(self, resource_type: str) -> None:
        """Count one NACK."""
        self._refusals.labels(resource_type).inc()

    def published(self, moment: float, resources: dict[str, int], versions: dict[str, str]) -> None:
        """Note a snapshot: when, how many resources of each type, and the types' versions."""
        self._published.set(moment)
        self._versions.clear()
        for resource_type, version in versions.items():
            self._versions.labels(resource_type, version).set(1)
        for resource_type, number in resources.items():
            self._resources.labels(resource_type).set(number)

    def nodes(self, states: dict[tuple[str, str], int]) -> None:
        """Set how many Envoys are in which state for which type."""
        self._nodes.clear()
        for (resource_type, state), number in states.items():
            self._nodes.labels(resource_type, state).set(number)

    def exposition(self) -> bytes:
        """Write all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
