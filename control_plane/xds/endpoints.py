"""Where the hosts of a cluster are: addresses, and the assignments EDS delivers."""

from control_plane.model.address import SocketPath, parse_address
from control_plane.model.endpoint import Endpoint
from control_plane.xds import messages as m


def socket_address(host: str, port: int) -> m.core.Address:
    """Address a TCP port."""
    return m.core.Address(socket_address=m.core.SocketAddress(address=host, port_value=port))


def listen_address(address: str) -> m.core.Address:
    """Read `host:port` or `unix:/path`."""
    found = parse_address(address)
    if isinstance(found, SocketPath):
        # The group may connect: the control plane and Envoy may run as different users.
        return m.core.Address(pipe=m.core.Pipe(path=found.path, mode=0o660))
    return socket_address(found.host, found.port)


def assignment_name(cluster: str, endpoint: Endpoint) -> str:
    """Name the assignment of a cluster at an address, another one for each address.

    A host that replaces another in the same assignment takes no requests before its first health
    check, and the other none any more. A cluster that names another assignment is another cluster
    to Envoy, which uses the old one until the new one has been checked.
    """
    return f"{cluster}@{endpoint.authority}"


def assignment(name: str, endpoint: Endpoint) -> m.endpoint.ClusterLoadAssignment:
    """Give a cluster its one host, by EDS or in itself; a name is resolved where it stands."""
    return m.endpoint.ClusterLoadAssignment(
        cluster_name=name,
        endpoints=[
            m.endpoint.LocalityLbEndpoints(
                lb_endpoints=[
                    m.endpoint.LbEndpoint(
                        endpoint=m.endpoint.Endpoint(
                            address=socket_address(endpoint.host, endpoint.port)
                        )
                    )
                ]
            )
        ],
    )
