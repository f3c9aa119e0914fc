"""An Envoy before the gateway that speaks HTTP/2 with it, for clients that speak HTTP/1.1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import envoys
from tests.bench.envoys import Place

_HTTP = f"{envoys.TYPES}.upstreams.http.v3.HttpProtocolOptions"
_TLS = f"{envoys.TYPES}.transport_sockets.tls.v3.UpstreamTlsContext"
#: It adds nothing to answers, so that what is seen in them is the gateway's.
_ROUTER = {
    **envoys.ROUTER,
    "typed_config": {**envoys.ROUTER["typed_config"], "suppress_envoy_headers": True},
}


@contextmanager
def relay(folder: Path, port: int, authority: Path | None = None) -> Iterator[Place]:
    """Carry all requests over a few HTTP/2 connections, so that many share one.

    `authority`: who signed the gateway's certificate, if it speaks TLS.
    """
    gateway = envoys.cluster("gateway", port)
    # As many streams as the gateway lets be in a connection: until it has said so an Envoy opens
    # any number, and those that are refused would have to be tried again.
    http2 = {"explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 100}}}
    gateway["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": _HTTP, **http2}
    }
    if authority is not None:
        context = {
            "@type": _TLS,
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                "validation_context": {"trusted_ca": {"filename": str(authority)}},
            },
        }
        gateway["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": context,
        }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "gateway", "timeout": "0s"}}]
    with envoys.envoy("relay", folder, routes, [gateway], [_ROUTER]) as place:
        yield place
