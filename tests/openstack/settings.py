"""The bed's settings: each has a default and a variable `TRIO2O_PODS_…` in the environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.openstack.progress import BedError

#: The password of everything; throwaway, since everything listens on the loopback interface.
PASSWORD = "labsecret"
#: The database's and the message broker's user.
USER = "lab"
MAX_PODS = 9
KEYSTONE, MARIADB, MEMCACHED, RABBITMQ_NODE, EPMD, RABBITMQ = 0, 6, 11, 25, 69, 72


def _choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        message = f"{name}={value}: must be one of {', '.join(choices)}"
        raise BedError(message)
    return value


def _number(name: str, value: str) -> int:
    if not value.isdigit():
        message = f"{name}={value}: must be a number"
        raise BedError(message)
    return int(value)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the bed lives, which ports it takes, what its pods look like."""

    #: Virtual environments and caches.
    base: Path
    venv: Path
    python: str
    #: Configuration, data, logs and pid files.
    run: Path
    address: str
    #: Keystone's port; pod N has its ports from base + 100 * N on.
    port_base: int
    #: Where the user region's catalog points.
    gateway: str
    user_region: str
    #: Where the user region's image and network endpoints point: `gateway` or `pod1`.
    image: str
    network: str
    #: The zone users see for pod 1, 2, …; a repeated name is a shared zone.
    zones: tuple[str, ...]
    #: The zone's name inside pod 1, 2, …; `az1,az5` makes both in one pod.
    inner_zones: tuple[str, ...]
    #: nova-compute processes a pod.
    computes: int
    #: `/v3`, or `/v3/$(project_id)s` for the older form of the URL.
    volume_path: str
    #: WSGI threads an API.
    threads: int
    nice: int
    debug: bool
    #: Whether pods honour X-Forwarded-{Proto,Host,Prefix}.
    proxy_headers: bool
    #: Whether cinder runs in threads; it calls that experimental.
    cinder_threading: bool

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; BedError for a value that cannot be."""

        def value(name: str, default: str) -> str:
            return environment.get(f"TRIO2O_PODS_{name}") or default

        def flag(name: str) -> bool:
            choices = ("true", "false")
            return _choice(f"TRIO2O_PODS_{name}", value(name, "false").lower(), choices) == "true"

        def number(name: str, default: str) -> int:
            return _number(f"TRIO2O_PODS_{name}", value(name, default))

        base = Path(value("BASE", "~/.cache/trio2o-pods")).expanduser().absolute()
        zones = value("AZS", "az1 az2 az3 az4").split()
        return cls(
            base=base,
            venv=Path(value("VENV", str(base / "venv"))).expanduser().absolute(),
            python=value("PYTHON", sys.executable),
            run=Path(value("RUN", str(base / "run"))).expanduser().absolute(),
            address=value("IP", "127.0.0.1"),
            port_base=number("PORT_BASE", "15000"),
            gateway=value("GATEWAY", "http://127.0.0.1:8080").rstrip("/"),
            user_region=value("TOP_REGION", "RegionOne"),
            image=_choice("TRIO2O_PODS_TOP_IMAGE", value("TOP_IMAGE", "gateway"), _PLACES),
            network=_choice("TRIO2O_PODS_TOP_NETWORK", value("TOP_NETWORK", "gateway"), _PLACES),
            zones=tuple(zone.split(",")[0] for zone in zones),
            inner_zones=tuple(value("INNER_AZS", " ".join(zones)).split()),
            computes=number("COMPUTES", "2"),
            volume_path=value("VOLUME_PATH", "/v3"),
            threads=number("THREADS", "8"),
            nice=number("NICE", "5"),
            debug=flag("DEBUG"),
            proxy_headers=flag("PROXY_HEADERS"),
            cinder_threading=flag("CINDER_THREADING"),
        )

    @property
    def bin(self) -> Path:
        """The folder of the services' own commands."""
        return self.venv / "bin"

    @property
    def etc(self) -> Path:
        """The folder of the services' configuration."""
        return self.run / "etc"

    @property
    def keystone(self) -> str:
        """Keystone's URL."""
        return f"http://{self.address}:{self.port(KEYSTONE)}/v3"

    @property
    def memcached(self) -> str:
        """Memcached's address."""
        return f"{self.address}:{self.port(MEMCACHED)}"

    def port(self, offset: int) -> int:
        """Give the port of a shared service."""
        return self.port_base + offset


_PLACES = ("gateway", "pod1")
