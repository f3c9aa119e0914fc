"""Where the hosts of a cluster are: addresses, and the assignments EDS delivers."""

from control_plane.model.endpoint import Endpoint
from control_plane.xds import messages as m
from control_plane.xds.options import split_address


def socket_address(host: str, port: int) -> m.core.Address:
    """Address a TCP port."""
    return m.core.Address(socket_address=m.core.SocketAddress(address=host, port_value=port))


def listen_address(address: str) -> m.core.Address:
    """Read `host:port` or `unix:/path`."""
    if address.startswith("unix:"):
        # The group may connect: the control plane and Envoy may run as different users.
        return m.core.Address(pipe=m.core.Pipe(path=address.removeprefix("unix:"), mode=0o660))
    return socket_address(*split_address(address))


def assignment(cluster: str, endpoint: Endpoint) -> m.endpoint.ClusterLoadAssignment:
    """Give a cluster its one host; a name is resolved by the cluster that holds it."""
    return m.endpoint.ClusterLoadAssignment(
        cluster_name=cluster,
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
