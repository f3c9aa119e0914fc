"""Small resources for tests of snapshots and streams: no Envoy reads them."""

from control_plane.xds.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource
from control_plane.xds.snapshot import Snapshot


def resource(type_url: str, name: str, content: str = "1") -> Resource:
    return Resource(type_url, name, content.encode(), content)


def snapshot(*clusters: str, routes: str = "1", listeners: str = "1") -> Snapshot:
    """Make a snapshot of clusters with assignments (`a`, or `a=2` for another version)."""
    parsed = [cluster.partition("=") for cluster in clusters]
    return Snapshot.of(
        [
            resource(LISTENER, "ingress", listeners),
            resource(ROUTE, "ingress", routes),
            *(resource(CLUSTER, name, version or "1") for name, _, version in parsed),
            *(resource(ENDPOINT, name) for name, *_ in parsed),
        ]
    )
