"""The gateway over pods that say who they are."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from control_plane.commands.client import Client
from tests.bench.gateway import Gateway, gateway_of, wait_until
from tests.bench.keystone import ADMIN
from tests.load.fleet import Fleet
from tests.load.ids import id_of
from tests.load.odd import Odd
from tests.load.pods import StandIn


@contextmanager
def product(
    folder: Path,
    pods: Sequence[StandIn],
    recorded: int,
    odd: Sequence[Odd] = (),
    **settings: Any,
) -> Iterator[tuple[Gateway, Fleet]]:
    """Run pods and the gateway over them; of each pod so many ids are in the database.

    The fleet is of those that do as they should; `odd` are beside them.
    """
    fleet = Fleet()
    with ExitStack() as stack:
        stack.callback(lambda: [pod.close() for pod in fleet.pods.values()])
        for pod in pods:
            pod.start()
            fleet.add(pod)
        for strange in odd:
            stack.callback(strange.close)
            strange.start()
        options = {"concurrency": 2, "workers": 2, **settings}
        definitions = [pod.definition for pod in (*pods, *odd)]
        found = stack.enter_context(gateway_of(folder / "gateway", definitions, **options))
        for pod in (*pods, *odd):
            record(found, pod, recorded)
        yield found, fleet


def record(gateway: Gateway, pod: StandIn | Odd, count: int) -> None:
    """Write the owner of a pod's first ids to the database."""
    gateway.own_each((id_of(pod.number, number), pod.name) for number in range(count))


def wait_for_creates(gateway: Gateway, fleet: Fleet) -> None:
    """Wait until all pods take creates: they are compared first."""
    with Client(gateway.xds, ADMIN) as client:
        names = [pod.name for pod in fleet.pods.values()]
        wait_until(lambda: all(client.pod(name).ready for name in names), every=0.3)
