"""What happens to the pods, and to the gateway itself, while requests go on."""

import asyncio
import os
import signal
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from control_plane.administration.messages import spec_message
from control_plane.administration.spec import PodSpec
from control_plane.commands.client import Client
from control_plane.pb import administration_pb2 as pb
from tests.bench.gateway import Gateway, wait_until
from tests.bench.keystone import ADMIN
from tests.load.client import Connection
from tests.load.fleet import Fleet
from tests.load.ids import id_of
from tests.load.pods import StandIn
from tests.load.product import record


@dataclass(slots=True)
class Changes:
    """Carries out one change after the other and waits until each is everywhere."""

    gateway: Gateway
    fleet: Fleet
    recorded: int
    #: How clients trust the gateway, if they speak TLS.
    tls: ssl.SSLContext | None = None
    done: list[str] = field(default_factory=list)
    _dying: bool = False
    _died: int = -1

    def worker_dies(self, since: int) -> bool:
        """Whether a worker was being replaced at any time since so many changes."""
        return self._dying or self._died > since

    def all(self, spare: StandIn) -> tuple[Callable[[], None], ...]:
        """List what can happen; `spare` is a pod that is added."""
        first, second, third = list(self.fleet.pods)[:3]
        return (
            lambda: self.cordon(first),
            lambda: self.weigh(second),
            lambda: self.move(second),
            lambda: self.interrupt(third),
            lambda: self.add(spare),
            self.kill_worker,
        )

    def cordon(self, number: int) -> None:
        """Let a pod take no creates for a while."""
        with self._client() as client:
            client.set_state(f"Pod{number}", "cordoned")
            time.sleep(0.5)
            client.set_state(f"Pod{number}", "enabled")
        self._note(f"cordoned Pod{number} for a while")

    def weigh(self, number: int) -> None:
        """Change a pod's weight and labels."""
        pod = self.fleet.pods[number]
        self._apply(pod, weight=50 + len(self.done), labels={"run": str(len(self.done))})
        self._note(f"weighed {pod.name}")

    def move(self, number: int) -> None:
        """Move a pod to another address: what is said of it changes, the owner cache is emptied."""
        old = self.fleet.pods[number]
        new = old.moved()
        new.start()
        self._apply(new)
        self._synced()
        # Requests under way end soon.
        time.sleep(1)
        old.stop()
        new.counts, new.faults = old.counts, old.faults
        self.fleet.add(new)
        self._note(f"moved {new.name}")

    def interrupt(self, number: int) -> None:
        """Stop a pod and start it again."""
        pod = self.fleet.pods[number]
        self.fleet.goes_down(number)
        pod.stop()
        time.sleep(2)
        pod.start()
        # Each worker of Envoy finds out by itself.
        for _ in range(20):
            wait_until(lambda: self._answers(number))
        self.fleet.is_up(number)
        self._note(f"stopped and started {pod.name}")

    def add(self, pod: StandIn) -> None:
        """Add a pod, the first time; then only say again what it is."""
        new = pod.number not in self.fleet.pods
        if new:
            pod.start()
            record(self.gateway, pod, self.recorded)
        self._apply(pod)
        self._synced()
        if new:
            self.fleet.add(pod)
        self._note(f"added {pod.name}")

    def kill_worker(self) -> None:
        """Kill one of the control plane's workers, and wait until it is replaced."""
        workers = self.gateway.workers
        self._dying = True
        os.kill(workers[0].pid, signal.SIGKILL)
        before = {worker.pid for worker in workers}
        wait_until(lambda: {worker.pid for worker in self.gateway.workers} - before)
        wait_until(self._is_ready, every=0.2)
        self.fleet.changes += 1
        self._died, self._dying = self.fleet.changes, False
        self._note("killed a worker")

    def _answers(self, number: int) -> bool:
        async def ask() -> int:
            async with Connection(self.gateway.place.port, tls=self.tls) as connection:
                known = id_of(number, 0)
                return (await connection.ask("GET", f"/compute/v2.1/servers/{known}")).status

        return asyncio.run(ask()) == 200

    def _is_ready(self) -> bool:
        stats = self.gateway.stats("^cluster.trio2o_processor.membership_healthy$")
        return all(value == len(self.gateway.workers) for value in stats.values())

    def _apply(self, pod: StandIn, weight: int = 100, labels: dict[str, str] | None = None) -> None:
        definition = pod.definition
        spec = PodSpec(**definition, weight=weight, labels=labels or {})
        with self._client() as client:
            client.apply([spec_message(spec)], dry_run=False)

    def _synced(self) -> None:
        with self._client() as client:
            wait_until(
                lambda: all(
                    entry.state == pb.ProxyResources.STATE_SYNCED
                    for proxy in client.proxies()
                    for entry in proxy.resources
                )
            )

    def _client(self) -> Client:
        return Client(self.gateway.xds, ADMIN)

    def _note(self, text: str) -> None:
        self.done.append(text)
