"""The product under test: `trio2o up` on free ports, with a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from tests.openstack.client import send
from tests.openstack.pod import Pod
from tests.openstack.settings import PASSWORD, Settings


def free_ports(count: int) -> list[int]:
    """Find ports that nobody uses; all are held until the last one is found."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [entry.getsockname()[1] for entry in sockets]


class Gateway:
    """Control plane and Envoy; killed and started again it keeps ports and database."""

    def __init__(
        self,
        settings: Settings,
        pods: Sequence[Pod],
        folder: Path,
        endpoints: Mapping[str, Mapping[str, str]],
        zones: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """Write trio2o.yaml, with `more` over what stands there.

        `endpoints` overrides the catalog for a pod by its name, `zones` the zone users see.
        """
        self.listen, admin, xds, metrics, envoy = free_ports(5)
        self._metrics = metrics
        self._envoy = envoy
        self._log = folder / "trio2o.log"
        self._file = folder / "trio2o.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        self._zones = sorted({pod.zone for pod in pods})
        self._file.write_text(
            # JSON is YAML.
            json.dumps(
                {
                    "region": settings.user_region,
                    "listen": f"127.0.0.1:{self.listen}",
                    "identity": {
                        "auth_url": settings.keystone,
                        "username": "gateway",
                        "password": PASSWORD,
                        "project_name": "service",
                    },
                    "database": f"sqlite:///{folder / 'trio2o.db'}",
                    "admin": {"listen": f"127.0.0.1:{admin}"},
                    "xds": {"listen": f"127.0.0.1:{xds}"},
                    "processor": {"workers": 1},
                    "metrics": {"listen": f"127.0.0.1:{metrics}"},
                    "envoy": {"admin": f"127.0.0.1:{envoy}", "concurrency": 1},
                    "pods": [
                        {
                            **_definition(pod, endpoints.get(pod.name, {})),
                            "availability_zone": (zones or {}).get(pod.name, pod.zone),
                        }
                        for pod in pods
                    ],
                    **(more or {}),
                },
                indent=1,
            )
        )

    def __enter__(self) -> Self:
        """Run it for as long as the block does."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def url(self) -> str:
        """The gateway's root."""
        return f"http://127.0.0.1:{self.listen}"

    @property
    def pid(self) -> int:
        """The process that has started all others of it."""
        assert self._process is not None
        return self._process.pid

    def statistic(self, name: str) -> int:
        """Read a counter of Envoy's; 0 while it has counted nothing."""
        answer = send("GET", f"http://127.0.0.1:{self._envoy}/stats?filter=^{name}$")
        _, _, value = answer.text.strip().partition(": ")
        return int(value or 0)

    def start(self, timeout: float = 60) -> None:
        """Start it and wait until it is ready and shows every zone."""
        kept = {
            key: text for key, text in os.environ.items() if not key.startswith(("OS_", "TRIO2O_"))
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("trio2o")), "up", "-f", str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=kept,
                cwd=self._file.parent,
                start_new_session=True,
            )
        end = time.monotonic() + timeout
        while not self._ready():
            tail = self._log.read_text(errors="replace")[-2000:]
            if self._process.poll() is not None:
                message = f"trio2o ended with {self._process.returncode}: {tail}"
                raise RuntimeError(message)
            if time.monotonic() > end:
                self.kill()
                message = f"not ready within {timeout:.0f} s: {tail}"
                raise RuntimeError(message)
            time.sleep(0.1)

    def stop(self, grace: float = 20) -> None:
        """Ask it to end, and make it end when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """Kill everything it runs, without a word of warning."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def command(self, *words: str) -> str:
        """Run `trio2o` with the gateway's settings and give what it prints."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("trio2o")), *words, "--config", str(self._file)],
            check=True,
            capture_output=True,
            text=True,
            cwd=self._file.parent,
        )
        return done.stdout

    def log(self) -> str:
        """Read everything it wrote."""
        return self._log.read_text(errors="replace")

    def _ready(self) -> bool:
        try:
            return send("GET", f"http://127.0.0.1:{self._metrics}/readyz", timeout=5).status == 200
        except OSError:
            return False


def _definition(pod: Pod, endpoints: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": pod.name,
        "availability_zone": pod.zone,
        "pod_availability_zone": pod.inner_zones[0],
        "endpoints": dict(endpoints),
    }
