"""The whole configuration of an Envoy, from the pods and the options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from control_plane.model.endpoint import Endpoint, cluster_name
from control_plane.model.fleet import Fleet
from control_plane.xds.certificate import Certificate
from control_plane.xds.filters import owner_cache_resource
from control_plane.xds.listeners import egress_listener, ingress_listener
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import Resource
from control_plane.xds.routes import egress_routes, ingress_routes
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.templates import cluster_resources

#: Where the services of a pod stand, by their names.
Services = Mapping[str, Endpoint]

_NONE: Services = {}


@dataclass(frozen=True, slots=True)
class OwnerCache:
    """What the owner cache runs, and the pods whose answers the processor gives meanwhile."""

    script: str = ""
    lost: tuple[str, ...] = ()


NO_CACHE = OwnerCache()


@dataclass(frozen=True, slots=True)
class _Built:
    """What was made of a pod's services, and of which."""

    services: Services
    resources: tuple[Resource, ...] = ()


class Configuration:
    """Builds one snapshot after the other and remembers, pod by pod, what the last is made of."""

    def __init__(self) -> None:
        """Start with nothing built."""
        self._options: GatewayOptions | None = None
        self._cache = NO_CACHE
        self._certificate: Certificate | None = None
        self._frame: tuple[Resource, ...] = ()
        self._pods: dict[str, _Built] = {}
        self._snapshot = Snapshot.of(())

    def build(
        self,
        options: GatewayOptions,
        fleet: Fleet,
        endpoints: Mapping[str, Services],
        cache: OwnerCache = NO_CACHE,
        certificate: Certificate | None = None,
    ) -> Snapshot:
        """Build a snapshot; `endpoints` are by pod name, `certificate` is given where TLS is.

        Disabled pods and pods the fleet does not know get no cluster. What is made of the same as
        before is the same object as before.
        """
        pods = {pod.name: endpoints.get(pod.name, _NONE) for pod in fleet.serving}
        same = options == self._options
        old: list[Resource] = []
        new: list[Resource] = []
        if not same or cache != self._cache or certificate != self._certificate:
            old, new = list(self._frame), list(_frame(options, cache))
            if certificate is not None:
                new.append(certificate.resource())
            self._options, self._cache, self._certificate = options, cache, certificate
            self._frame = tuple(new)
        for name in list(self._pods):
            if not same or name not in pods:
                old.extend(self._pods.pop(name).resources)
        for name, services in pods.items():
            built = self._pods.get(name, _Built(_NONE))
            if built.services is not services and built.services != services:
                old.extend(built.resources)
                self._pods[name] = _Built(services, tuple(_clusters(name, services, options)))
                new.extend(self._pods[name].resources)
        if old or new:
            self._snapshot = self._snapshot.replacing(old, new)
        return self._snapshot


def _frame(options: GatewayOptions, cache: OwnerCache) -> tuple[Resource, ...]:
    """Build what does not depend on where pods are; what is as it was is the same object."""
    return (
        ingress_listener(options),
        egress_listener(options),
        ingress_routes(options, cache.lost),
        egress_routes(options),
        *owner_cache_resource(options, cache.script),
    )


def build(
    options: GatewayOptions,
    fleet: Fleet,
    endpoints: Mapping[str, Services],
    cache: OwnerCache = NO_CACHE,
    certificate: Certificate | None = None,
) -> Snapshot:
    """Build a single snapshot."""
    return Configuration().build(options, fleet, endpoints, cache, certificate)


def _clusters(pod: str, services: Services, options: GatewayOptions) -> Iterator[Resource]:
    for service, endpoint in sorted(services.items()):
        yield from cluster_resources(cluster_name(pod, service), endpoint, options)
