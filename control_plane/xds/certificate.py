"""The certificate of the ingress listener: read here, delivered to every Envoy over SDS.

Its files are the control plane's and are looked at again and again, so that any way to renew them
works: renamed over, linked anew or written in place. A pair that does not fit together, such as one
of which half is written, is not delivered.

The private key travels on the ADS stream, beside the users' tokens of ext_proc: whoever moves
`xds.listen` from the loopback must trust that network with both.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog

from control_plane.model.errors import StartupError
from control_plane.settings import Tls
from control_plane.xds import messages as m
from control_plane.xds.resource import SECRET, Resource

log = structlog.get_logger()

NAME = "ingress"
#: How often the files are looked at, seconds.
WATCH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with those that signed it, and its private key, in PEM."""

    chain: bytes
    key: bytes = field(repr=False)

    @classmethod
    def read(cls, certificate: Path, key: Path) -> Self:
        """Read a pair; StartupError with one line when there is none or it does not fit."""
        found = cls(_content(certificate), _content(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # An empty password, or OpenSSL would ask for that of an encrypted key on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            # An SSLError is an OSError; its message names a line of OpenSSL.
            reason = getattr(error, "reason", None) or "not PEM, or encrypted"
            message = f"tls: {certificate} and {key} are no pair: {reason}"
            raise StartupError(message) from error
        if found != cls(_content(certificate), _content(key)):
            # OpenSSL reads the files itself, and what it read may not be what is held here.
            message = f"tls: {certificate} or {key} is being written"
            raise StartupError(message)
        return found

    def resource(self) -> Resource:
        """Build what SDS delivers."""
        return Resource.of(
            NAME,
            m.tls.Secret(
                name=NAME,
                tls_certificate=m.tls.TlsCertificate(
                    certificate_chain=m.core.DataSource(inline_bytes=self.chain),
                    private_key=m.core.DataSource(inline_bytes=self.key),
                ),
            ),
        )


class CertificateFiles:
    """The certificate that the settings name, and the watch over its files."""

    def __init__(self, tls: Tls) -> None:
        """Read it, if there is one; StartupError."""
        self._tls = tls
        #: The last good one; None where clients speak plain HTTP.
        self.content = self._read()

    async def watch(
        self, renewed: Callable[[], Awaitable[None]], seconds: float = WATCH_SECONDS
    ) -> None:
        """Await `renewed` whenever there is another pair, until cancelled."""
        refused = ""
        while True:
            await asyncio.sleep(seconds)
            try:
                found = await asyncio.to_thread(self._read)
            except StartupError as error:
                # Said once: the last good pair goes on, and its end is what to look out for.
                if refused != (refused := str(error)):
                    log.warning("certificate_refused", error=refused)
                continue
            refused = ""
            if found != self.content:
                self.content = found
                log.info("certificate_renewed")
                await renewed()

    def _read(self) -> Certificate | None:
        if not self._tls.enabled:
            return None
        return Certificate.read(Path(self._tls.certificate), Path(self._tls.key))


def server_tls() -> m.core.TransportSocket:
    """Have a listener speak TLS with the certificate that SDS delivers."""
    context = m.tls.DownstreamTlsContext(
        common_tls_context=m.tls.CommonTlsContext(
            tls_params=m.tls.TlsParameters(
                tls_minimum_protocol_version=m.tls.TlsParametersTlsProtocol.TLSv1_2
            ),
            alpn_protocols=["h2", "http/1.1"],
            tls_certificate_sds_secret_configs=[
                m.tls.SdsSecretConfig(name=NAME, sds_config=m.FROM_ADS)
            ],
        )
    )
    return m.core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=m.pack(context))


def server_tls_references() -> list[tuple[str, str]]:
    """Name what such a listener needs from SDS."""
    return [(SECRET, NAME)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"tls: {path}: {error.strerror or error}"
        raise StartupError(message) from error
