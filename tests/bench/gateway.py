"""The product under test: `trio2o serve` and an Envoy it configures, each a process."""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from control_plane.xds.bootstrap import envoy_command
from control_plane.xds.module import built_module
from tests.bench import keystone
from tests.bench.envoys import Place, running
from tests.bench.load import numbered
from tests.bench.machine import Process, children
from tests.envoy_process import free_port, free_ports

_READY_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway and how to reach it."""

    place: Place
    plane: Process
    database: Path
    egress: str
    #: `host:port` of the gRPC services, administration among them.
    xds: str
    envoy_admin: str
    #: From Envoy's start until it had everything, seconds.
    live_after: float
    #: From the control plane's start until it listened: it has built every resource by then.
    started_after: float = 0.0
    #: What Envoy used of a core until then, seconds: others' load moves it less than the clock.
    live_cpu: float = 0.0

    @property
    def workers(self) -> tuple[Process, ...]:
        """Those that answer Envoy."""
        pids = children(self.plane.pid)
        return tuple(Process(f"worker {number}", pid) for number, pid in enumerate(pids))

    @property
    def processes(self) -> tuple[Process, ...]:
        """Those whose work a request is."""
        return (self.place.process, self.plane, *self.workers)

    def own(self, start: int, count: int, pod: str = "Pod0") -> None:
        """Write owners of numbered ids straight to the database."""
        self.own_each((numbered(number), pod) for number in range(start, start + count))

    def own_each(self, owners: Iterable[tuple[str, str]]) -> None:
        """Write servers' ids and pods straight to the database."""
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        rows = ((known, "server", pod, "project-user", moment) for known, pod in owners)
        with sqlite3.connect(self.database, timeout=30) as connection:
            connection.executemany(
                "INSERT INTO owners (id, resource, pod, project_id, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            )

    def stats(self, pattern: str) -> dict[str, int]:
        """Read counters and gauges of Envoy."""
        text = _get(f"{self.envoy_admin}/stats?filter={pattern}").decode()
        found = (line.rpartition(": ") for line in text.splitlines())
        return {name: int(value) for name, _, value in found if value.isdigit()}


def pod_definition(number: int, upstream: Place, services: Sequence[str]) -> dict[str, Any]:
    """Define a pod in the operators' words, every service behind one path."""
    root = f"{upstream.url}/pod{number}"
    return {
        "name": f"Pod{number}",
        "availability_zone": f"az{number % 4}",
        "pod_availability_zone": "nova",
        "endpoints": dict.fromkeys(services, f"{root}/v2.1"),
    }


@contextmanager
def gateway(
    folder: Path,
    upstream: Place,
    count: int,
    services: Sequence[str] = ("compute", "image"),
    spread: int = 0,
    *,
    tcp_egress: bool = False,
) -> Iterator[Gateway]:
    """Run Keystone's stand-in, a control plane over `count` pods, and an Envoy.

    `spread`: so many pods' roots are used in turn, for fleets larger than the stand-in has.
    `tcp_egress`: pods are asked through a port, for a bench that asks them itself, and not through
    a socket as is the default; the workers are asked through ports then, too.
    """
    pods = [pod_definition(number, upstream, services) for number in range(count)]
    for number, pod in enumerate(pods):
        if spread:
            root = f"{upstream.url}/pod{number % spread}/v2.1"
            pod["endpoints"] = dict.fromkeys(services, root)
    with gateway_of(folder, pods, tcp_egress=tcp_egress) as found:
        yield found


@contextmanager
def gateway_of(
    folder: Path,
    pods: Sequence[Mapping[str, Any]],
    *,
    tcp_egress: bool = False,
    concurrency: int = 1,
    workers: int = 1,
    **settings: Any,
) -> Iterator[Gateway]:
    """Run the same over pods in the operators' words, with settings beside those a bench needs."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("listen", "admin", "xds", "metrics", "envoy", "egress")
    ports = {name: free_port() for name in names}
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    identity = free_port()
    egress = at["egress"] if tcp_egress else f"unix:{folder}/egress.sock"
    file = folder / "trio2o.yaml"
    file.write_text(
        # JSON is YAML.
        json.dumps(
            {
                "listen": at["listen"],
                "identity": {
                    "auth_url": f"http://127.0.0.1:{identity}/v3",
                    "username": "gateway",
                    "password": "secret",
                },
                "database": f"sqlite:///{folder}/trio2o.db",
                "admin": {"listen": at["admin"]},
                "xds": {"listen": at["xds"]},
                "processor": {"workers": workers, **(_ports_of(workers) if tcp_egress else {})},
                "metrics": {"listen": at["metrics"]},
                "envoy": {"admin": at["envoy"], "concurrency": concurrency, "egress": egress},
                "log": {"level": "warning"},
                "pods": list(pods),
                **settings,
            }
        ),
        encoding="utf-8",
    )
    trio2o = [sys.executable, "-c", "from control_plane.commands import main; main()"]
    with ExitStack() as stack:
        stand_in = [sys.executable, "-m", keystone.__name__, str(identity)]
        stack.enter_context(running("Keystone", stand_in, identity, folder / "keystone.log"))
        serve = [*trio2o, "serve", "-f", str(file)]
        began = time.monotonic()
        plane = stack.enter_context(
            running("control plane", serve, ports["xds"], folder / "plane.log")
        )
        wait_until(lambda: _answers(f"http://{at['metrics']}/healthz"))
        started_after = time.monotonic() - began
        bootstrap = folder / "envoy.json"
        module = built_module()
        text = subprocess.run(
            [*trio2o, "bootstrap", "-f", str(file), *(["--module", str(module)] if module else [])],
            check=True,
            capture_output=True,
        ).stdout
        bootstrap.write_bytes(text)
        started = time.monotonic()
        # The access log goes to standard output, which is a file here as it is in production.
        envoy = stack.enter_context(
            running(
                "Envoy", envoy_command(bootstrap, concurrency), ports["envoy"], folder / "envoy.log"
            )
        )
        found = Gateway(
            Place(envoy.process, ports["listen"]),
            plane.process,
            folder / "trio2o.db",
            f"http://{egress}" if tcp_egress else egress,
            at["xds"],
            envoy.url,
            0.0,
            started_after,
        )
        clusters = sum(len(pod["endpoints"]) for pod in pods)
        wait_until(lambda: _live(found, clusters, plain="tls" not in settings))
        yield replace(found, live_after=time.monotonic() - started, live_cpu=envoy.process.cpu)


def _ports_of(workers: int) -> dict[str, str]:
    return {name: f"127.0.0.1:{free_ports(workers)}" for name in ("listen", "words")}


def wait_until(
    condition: Callable[[], object], within: float = _READY_WITHIN, every: float = 0.02
) -> float:
    """Wait until something holds; gives how long it took, TimeoutError when it does not come."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > within:
            raise TimeoutError(f"not within {within:.0f} s")
        time.sleep(every)
    return time.monotonic() - start


def _live(gateway: Gateway, clusters: int, *, plain: bool) -> bool:
    # The statistics of 5,000 clusters take Envoy's main thread longer than to make some of them.
    if not _answers(f"{gateway.envoy_admin}/ready"):
        return False
    stats = gateway.stats("^(cluster_manager.(active|warming)_clusters|server.live)$")
    return (
        stats.get("server.live") == 1
        and stats.get("cluster_manager.warming_clusters") == 0
        # And the static ones of the control plane.
        and stats.get("cluster_manager.active_clusters", 0) >= clusters + 3
        and (not plain or _answers(f"{gateway.place.url}/compute/", ok_only=False))
    )


def ask(url: str, token: str = "user", method: str = "GET", body: Any = None) -> bytes:
    """Send one request; HTTPError for anything but success."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"x-auth-token": token, "content-type": "application/json"}
    with urllib.request.urlopen(
        urllib.request.Request(url, data, headers, method=method), timeout=60
    ) as answer:
        return bytes(answer.read())


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def _answers(url: str, *, ok_only: bool = True) -> bool:
    try:
        _get(url)
    except urllib.error.HTTPError:
        return not ok_only
    except OSError:
        return False
    return True
