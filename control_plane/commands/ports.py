"""Whether every port can be had, before anything is started."""

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from control_plane.model.address import Address, AnyAddress
from control_plane.model.errors import StartupError
from control_plane.settings import Settings


def control_plane_ports(settings: Settings) -> list[tuple[str, Address]]:
    """Name the ports of the control plane by their keys."""
    return [
        ("xds.listen", settings.xds.listen),
        *_ports("processor.listen", settings.processors),
        *_ports("processor.words", settings.words),
        ("admin.listen", settings.admin.listen),
        ("metrics.listen", settings.metrics.listen),
    ]


def envoy_ports(settings: Settings) -> list[tuple[str, Address]]:
    """Name the ports of Envoy by their keys."""
    return [
        ("listen", settings.listen),
        ("envoy.admin", settings.envoy.admin),
        *_ports("envoy.egress", [settings.egress]),
    ]


def _ports(key: str, addresses: Iterable[AnyAddress]) -> list[tuple[str, Address]]:
    """Leave out sockets, which nobody else has: their directory is this user's."""
    return [(key, address) for address in addresses if isinstance(address, Address)]


def check_ports(ports: Iterable[tuple[str, Address]]) -> None:
    """Listen on all ports at once and let them go; StartupError that names the one in use."""
    with ExitStack() as held:
        for key, address in ports:
            try:
                held.enter_context(_listen(address))
            except OSError as error:
                in_use = error.errno == errno.EADDRINUSE
                fault = "is already in use" if in_use else f"cannot be had: {error.strerror}"
                message = f"{address} ({key}) {fault}"
                raise StartupError(message) from error


def _listen(address: Address) -> socket.socket:
    family, kind, protocol, _, target = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A port in TIME_WAIT is free; one that is listened on is not, whoever shares it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
