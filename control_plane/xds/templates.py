"""Clusters by the thousand: each kind is built once as typed messages, and stamped from then on.

`clusters` says what a cluster is. Here its bytes are read as the small messages of
`protos/cluster.proto`, which keep all that they do not know as it is; stamping writes the name, the
host and the path over those of the pattern. A test holds that both ways give the same messages.
"""

from dataclasses import dataclass
from functools import lru_cache

from control_plane.model.endpoint import Endpoint
from control_plane.pb import cluster_pb2 as pb
from control_plane.xds.clusters import build_cluster
from control_plane.xds.endpoints import assignment, assignment_name
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import CLUSTER, ENDPOINT, Resource

_ADDRESS, _NAME = "192.0.2.1", "pod.example.org"


def cluster_resources(
    name: str, endpoint: Endpoint, options: GatewayOptions
) -> tuple[Resource, ...]:
    """Stamp a cluster and, for an IP address, the assignment EDS delivers."""
    is_address = endpoint.is_address
    cluster = _template(endpoint.scheme, options, is_address=is_address).stamp(name, endpoint)
    if not is_address:
        return (Resource.from_bytes(CLUSTER, name, cluster),)
    there = assignment_name(name, endpoint)
    return (
        Resource.from_bytes(CLUSTER, name, cluster, [(ENDPOINT, there)]),
        Resource.from_bytes(ENDPOINT, there, _stamp_assignment(there, endpoint), [(CLUSTER, name)]),
    )


@dataclass(frozen=True, slots=True)
class _Template:
    """A cluster of one kind; the messages are written over for every stamp."""

    cluster: pb.Cluster
    #: The context inside the transport socket, None for plain HTTP.
    tls: pb.UpstreamTlsContext | None
    #: A name is no server name where it is an address.
    is_address: bool

    def stamp(self, name: str, endpoint: Endpoint) -> bytes:
        """Write a cluster of this kind."""
        cluster = self.cluster
        cluster.name = name
        check = cluster.health_checks[0].http_health_check
        check.host = endpoint.authority
        check.path = f"{endpoint.path}/"
        if self.tls is not None:
            if not self.is_address:
                self.tls.sni = endpoint.host
            validation = self.tls.common_tls_context.validation_context
            validation.match_typed_subject_alt_names[0].matcher.exact = endpoint.host
            cluster.transport_socket.typed_config.value = self.tls.SerializeToString()
        if self.is_address:
            cluster.eds_cluster_config.service_name = assignment_name(name, endpoint)
        else:
            _place(cluster.load_assignment, name, endpoint)
        return cluster.SerializeToString()


@lru_cache(64)
def _template(scheme: str, options: GatewayOptions, *, is_address: bool) -> _Template:
    pattern = Endpoint(scheme, _ADDRESS if is_address else _NAME, 1)
    cluster = pb.Cluster.FromString(bytes(build_cluster("pattern", pattern, options)))
    tls = None
    if cluster.HasField("transport_socket"):
        tls = pb.UpstreamTlsContext.FromString(cluster.transport_socket.typed_config.value)
    return _Template(cluster, tls, is_address)


def _stamp_assignment(name: str, endpoint: Endpoint) -> bytes:
    pattern = _assignment_template()
    _place(pattern, name, endpoint)
    return pattern.SerializeToString()


@lru_cache
def _assignment_template() -> pb.ClusterLoadAssignment:
    pattern = assignment("pattern", Endpoint("http", _ADDRESS, 1))
    return pb.ClusterLoadAssignment.FromString(bytes(pattern))


def _place(found: pb.ClusterLoadAssignment, cluster: str, endpoint: Endpoint) -> None:
    found.cluster_name = cluster
    socket = found.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    socket.address, socket.port_value = endpoint.host, endpoint.port
