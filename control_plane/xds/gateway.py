"""The whole configuration of an Envoy, from the pods and the options."""

from collections.abc import Mapping

from control_plane.model.endpoint import Endpoint, cluster_name
from control_plane.model.fleet import Fleet
from control_plane.xds.clusters import cluster_resources
from control_plane.xds.filters import owner_cache_resource
from control_plane.xds.listeners import egress_listener, ingress_listener
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import Resource
from control_plane.xds.routes import egress_routes, ingress_routes
from control_plane.xds.snapshot import Snapshot


def build(
    options: GatewayOptions, fleet: Fleet, endpoints: Mapping[tuple[str, str], Endpoint]
) -> Snapshot:
    """Build a snapshot; `endpoints` are by pod name and service name.

    Disabled pods and pods the fleet does not know get no cluster. Building again costs only what
    has changed: the builders remember what they made of equal arguments.
    """
    resources: list[Resource] = [
        ingress_listener(options),
        egress_listener(options),
        ingress_routes(options),
        egress_routes(options),
        *owner_cache_resource(options),
    ]
    serving = {pod.name for pod in fleet.serving}
    for (pod, service), endpoint in sorted(endpoints.items()):
        if pod in serving:
            resources.extend(cluster_resources(cluster_name(pod, service), endpoint, options))
    return Snapshot.of(resources)
