"""One pod of the bed: its names, its ports, its folders."""

from dataclasses import dataclass
from pathlib import Path

from tests.openstack.settings import Settings

#: A service of a pod and the last two digits of its port.
PORTS = {"nova": 74, "cinder": 76, "placement": 78, "glance": 92, "neutron": 96}
#: A service's type in the catalog and its path behind the root.
TYPES = {
    "nova": ("compute", "/v2.1"),
    "cinder": ("volumev3", ""),
    "glance": ("image", ""),
    "neutron": ("network", ""),
    "placement": ("placement", ""),
}


@dataclass(frozen=True, slots=True)
class Pod:
    """The N-th pod; nothing here says whether it runs."""

    settings: Settings
    number: int

    @property
    def name(self) -> str:
        """The pod's Keystone region, which is its name in Trio2o."""
        return f"Pod{self.number}"

    @property
    def key(self) -> str:
        """The beginning of its processes', databases' and folders' names."""
        return f"pod{self.number}"

    @property
    def zone(self) -> str:
        """The zone users see."""
        zones = self.settings.zones
        return zones[(self.number - 1) % len(zones)]

    @property
    def inner_zones(self) -> list[str]:
        """The zones inside the pod; the first one is its default."""
        zones = self.settings.inner_zones
        return zones[(self.number - 1) % len(zones)].split(",")

    @property
    def etc(self) -> Path:
        """The folder of its configuration."""
        return self.settings.etc / self.key

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.settings.run / self.key

    @property
    def computes(self) -> list[str]:
        """The hosts of its nova-compute processes."""
        return [f"{self.key}-compute{count + 1}" for count in range(self.settings.computes)]

    def port(self, service: str) -> int:
        """Give the port of one of its services."""
        return self.settings.port_base + 100 * self.number + PORTS[service]

    def url(self, service: str) -> str:
        """Give the root URL of one of its services."""
        return f"http://{self.settings.address}:{self.port(service)}"

    def endpoints(self) -> dict[str, str]:
        """Give its catalog: the type of each service and its URL."""
        urls = {kind: self.url(name) + path for name, (kind, path) in TYPES.items()}
        urls["volumev3"] += self.settings.volume_path
        return {**urls, "identity": self.settings.keystone}
