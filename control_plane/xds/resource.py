"""One resource of Envoy's configuration, ready to be sent."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import betterproto2

from control_plane.xds import messages as m

_PREFIX = "type.googleapis.com/"
CLUSTER = _PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINT = _PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = _PREFIX + "envoy.config.listener.v3.Listener"
ROUTE = _PREFIX + "envoy.config.route.v3.RouteConfiguration"
SECRET = _PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"
EXTENSION = _PREFIX + "envoy.config.core.v3.TypedExtensionConfig"

#: The order in which changes are sent, so that nothing refers to what is not there yet; removals
#: go the other way. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
SENDING_ORDER = (CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE, EXTENSION)

#: A client that names nothing in its first request for one of these means all of them.
WILDCARD_TYPES = frozenset({CLUSTER, LISTENER})


@dataclass(frozen=True, slots=True)
class Resource:
    """Serialised once; `version` is a hash of the bytes, so equal content is never sent twice.

    `refers` names, as (type URL, name), what must be in the same snapshot for this to work.
    """

    type_url: str
    name: str
    #: Not shown: it may hold a private key.
    body: bytes = field(repr=False)
    version: str
    refers: frozenset[tuple[str, str]] = frozenset()
    #: Makes what an Envoy gets in its place that has the module of known ids at a path.
    with_module: Callable[[str], "Resource"] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        message: betterproto2.Message,
        refers: Iterable[tuple[str, str]] = (),
        with_module: "Callable[[str], Resource] | None" = None,
    ) -> "Resource":
        """Serialise a message."""
        packed = m.pack(message)
        found = cls.from_bytes(packed.type_url, name, packed.value, refers)
        return replace(found, with_module=with_module) if with_module else found

    @classmethod
    def from_bytes(
        cls, type_url: str, name: str, body: bytes, refers: Iterable[tuple[str, str]] = ()
    ) -> "Resource":
        """Take a message that is serialised already."""
        return cls(type_url, name, body, digest([body]), frozenset(refers))

    @property
    def mark(self) -> int:
        """Name and version as a number of 64 bits, which a version of many resources sums up."""
        return int(digest([self.name.encode(), self.version.encode()]), 16)


def digest(parts: Iterable[bytes]) -> str:
    """Hash to 16 hexadecimal digits: enough to tell versions apart, short enough to read."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(len(part).to_bytes(8))
        state.update(part)
    return state.hexdigest()
