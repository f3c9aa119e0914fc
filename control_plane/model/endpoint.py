"""Where a pod's service is reached."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_VERSION_SEGMENT = re.compile(r"/v\d+(\.\d+)?(/.*)?$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The root of a service in a pod: what stands before `/v2.1` in its catalog URL.

    `path` has no trailing slash and is usually empty; `/compute` behind an Apache that serves all
    APIs on one port.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Cut a catalog URL (`http://10.0.0.1:8774/v2.1`) to its root; ValueError if it is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"not an http or https URL: {url!r}"
            raise ValueError(message)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        path = _VERSION_SEGMENT.sub("", parts.path).rstrip("/")
        return cls(parts.scheme, parts.hostname, port, path)

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, so that no DNS is needed."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def authority(self) -> str:
        """The host and always the port, as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The root as a URL, the port left out where it is the scheme's own."""
        default = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == default else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def cluster_name(pod: str, service: str) -> str:
    """Name the Envoy cluster of one service in one pod; the value of `x-trio2o-cluster`."""
    return f"{pod}/{service}"
