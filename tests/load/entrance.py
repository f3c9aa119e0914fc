"""How clients come to the gateway: over HTTP/1.1 or HTTP/2, with or without TLS."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load.relay import relay
from tests.xds.certificates import signed


@dataclass(frozen=True, slots=True)
class Entrance:
    """The port that clients of HTTP/1.1 use, and how they trust what is there."""

    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of the gateway's own, signed by an authority of ours."""

    pair: Path
    authority: Path

    @classmethod
    def of(cls, folder: Path) -> "Certificate":
        """Sign one."""
        return cls(signed(folder, "localhost"), folder / "ca.pem")

    @property
    def settings(self) -> dict[str, Any]:
        """Name it in the operators' words."""
        return {"tls": {"certificate": str(self.pair), "key": str(self.pair.with_suffix(".key"))}}

    @property
    def context(self) -> ssl.SSLContext:
        """Trust the authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.authority))


@contextmanager
def entrance(
    folder: Path, port: int, certificate: Certificate | None, *, http2: bool
) -> Iterator[Entrance]:
    """Lead to the gateway at a port; over HTTP/2 through a relay, which is the one that trusts."""
    if not http2:
        yield Entrance(port, certificate.context if certificate else None)
        return
    with relay(folder, port, certificate.authority if certificate else None) as place:
        yield Entrance(place.port)
