"""Envoys of the bench's own: the pods' stand-in and the bare one all is set against."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_plane.xds.bootstrap import envoy_binary
from tests.bench import samples
from tests.bench.machine import Process
from tests.envoy_process import free_port

TYPES = "type.googleapis.com/envoy.extensions"
_HCM = f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER: dict[str, Any] = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
}
#: Waits for a whole request, so that an answer never comes before its end.
BUFFER = {
    "name": "envoy.filters.http.buffer",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 1 << 20,
    },
}
#: A control plane builds all resources of its pods before it listens.
_STARTED_WITHIN = 240.0


@dataclass(frozen=True, slots=True)
class Place:
    """A process that listens at a port of 127.0.0.1."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(name: str, command: Sequence[str], port: int, log: Path) -> Iterator[Place]:
    """Run a program until the block ends, from when it listens on."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(port, process, log)
        yield Place(Process(name, process.pid), port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a port is listened on; RuntimeError with the log when that does not come."""
    end = time.monotonic() + _STARTED_WITHIN
    while True:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"port {port}: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


@contextmanager
def pods(folder: Path, sizes: Sequence[int], limits: Sequence[int] = ()) -> Iterator[Place]:
    """Stand in for pods: `/podN` is the root of one that has `sizes[N]` servers.

    Answers at once. A create gets an id nobody has, and there is no page after the first. A page
    is cut to a limit that stands in `limits`; others are not heeded, and all servers are sent.
    """
    routes: list[dict[str, Any]] = []
    for number, size in enumerate(sizes):
        body = folder / f"page-{number}.json"
        body.write_bytes(samples.page(number, size))
        cut = {limit: folder / f"page-{number}-{limit}.json" for limit in limits if limit < size}
        for limit, path in cut.items():
            path.write_bytes(samples.page(number, size, limit))
        routes += _pod(f"/pod{number}", body, cut, folder)
    (folder / "show.json").write_bytes(samples.show())
    (folder / "empty.json").write_bytes(samples.EMPTY)
    (folder / "versions.json").write_bytes(samples.VERSIONS)
    with envoy("pods", folder, routes, [], [BUFFER, ROUTER]) as place:
        yield place


def _pod(root: str, page: Path, cut: Mapping[int, Path], folder: Path) -> list[dict[str, Any]]:
    servers = f"{root}/v2.1/servers"
    made = {"server": {"id": "%REQ(x-request-id)%", "adminPass": "aaaaaaaaaaaa", "links": []}}
    return [
        {
            "match": {
                "prefix": f"{servers}/detail",
                "query_parameters": [{"name": "marker", "present_match": True}],
            },
            "direct_response": _file(folder / "empty.json"),
        },
        *(
            {
                "match": {
                    "prefix": f"{servers}/detail",
                    "query_parameters": [
                        {"name": "limit", "string_match": {"exact": str(limit)}},
                    ],
                },
                "direct_response": _file(path),
            }
            for limit, path in cut.items()
        ),
        {"match": {"prefix": f"{servers}/detail"}, "direct_response": _file(page)},
        {
            "match": {"path": servers, "headers": [_method("POST")]},
            "direct_response": {"status": 202, "body_format": {"json_format": made}},
        },
        {"match": {"prefix": f"{servers}/"}, "direct_response": _file(folder / "show.json")},
        {"match": {"path": f"{root}/"}, "direct_response": _file(folder / "versions.json")},
        {"match": {"prefix": f"{root}/"}, "direct_response": _file(folder / "empty.json")},
    ]


def _method(name: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": name}}


def _file(path: Path) -> dict[str, Any]:
    return {"status": 200, "body": {"filename": str(path)}}


@contextmanager
def bare(folder: Path, upstream: Place, pair: Path | None = None) -> Iterator[Place]:
    """Route by prefix to the pods and do nothing else: what all is set against.

    `pair`: a certificate with its key beside it, by which it speaks TLS.
    """
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "pods"}}]
    # The default of 1,024 requests at once would be its own limit, and not its pace.
    most = {"max_connections": 100_000, "max_requests": 100_000, "max_pending_requests": 100_000}
    pods = {**cluster("pods", upstream.port), "circuit_breakers": {"thresholds": [most]}}
    with envoy("bare", folder, routes, [pods], [ROUTER], pair=pair) as place:
        yield place


@contextmanager
def processed(folder: Path, upstream: Place, processor: int) -> Iterator[Place]:
    """Do the same, but ask an ext_proc server by which cluster each request goes."""
    http2 = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    processing = {
        "name": "envoy.filters.http.ext_proc",
        "typed_config": {
            "@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": "processor"}},
            "message_timeout": "5s",
            "processing_mode": {"request_header_mode": "SEND", "response_header_mode": "SKIP"},
        },
    }
    clusters = [
        cluster("pods", upstream.port),
        {**cluster("processor", processor), "typed_extension_protocol_options": http2},
    ]
    routes = [
        {
            "match": {"prefix": "/", "headers": [{"name": "x-cluster", "present_match": True}]},
            "route": {"cluster_header": "x-cluster"},
        },
        {"match": {"prefix": "/"}, "direct_response": {"status": 503}},
    ]
    with envoy("textbook Envoy", folder, routes, clusters, [processing, ROUTER]) as place:
        yield place


def cluster(name: str, port: int) -> dict[str, Any]:
    """Make a cluster of one port of this machine."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


@contextmanager
def envoy(
    name: str,
    folder: Path,
    routes: list[dict[str, Any]],
    clusters: list[dict[str, Any]],
    filters: list[dict[str, Any]],
    port: int = 0,
    pair: Path | None = None,
) -> Iterator[Place]:
    """Run an Envoy of one listener, by default at a free port and without TLS."""
    port = port or free_port()
    manager = {
        "@type": _HCM,
        "stat_prefix": "ingress",
        "route_config": {
            "max_direct_response_body_size_bytes": 1 << 25,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
            "response_headers_to_add": [
                {
                    "header": {"key": "content-type", "value": "application/json"},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
            ]
            if not clusters
            else [],
        },
        "http_filters": filters,
    }
    chain: dict[str, Any] = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }
        ]
    }
    if pair is not None:
        chain["transport_socket"] = _server_tls(pair)
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    config = folder / f"{name.replace(' ', '-')}.json"
    config.write_text(
        json.dumps(
            {
                "static_resources": {
                    "listeners": [{"name": "in", "address": address, "filter_chains": [chain]}],
                    "clusters": clusters,
                },
            }
        ),
        encoding="utf-8",
    )
    command = [str(envoy_binary()), "--config-path", str(config), "--disable-hot-restart"]
    command += ["--log-level", "error", "--concurrency", "1"]
    with running(name, command, port, config.with_suffix(".log")) as place:
        yield place


def _server_tls(pair: Path) -> dict[str, Any]:
    certificate = {
        "certificate_chain": {"filename": str(pair)},
        "private_key": {"filename": str(pair.with_suffix(".key"))},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [certificate],
            },
        },
    }
