"""The gateway over pods that say who they are."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.gateway import Gateway, ask, gateway_of, wait_until
from tests.load.fleet import Fleet
from tests.load.ids import id_of
from tests.load.pods import StandIn


@contextmanager
def product(
    folder: Path, pods: Sequence[StandIn], recorded: int, **settings: Any
) -> Iterator[tuple[Gateway, Fleet]]:
    """Run pods and the gateway over them; of each pod so many ids are in the database."""
    fleet = Fleet()
    with ExitStack() as stack:
        stack.callback(lambda: [pod.close() for pod in fleet.pods.values()])
        for pod in pods:
            pod.start()
            fleet.add(pod)
        options = {"concurrency": 2, "workers": 2, **settings}
        found = stack.enter_context(
            gateway_of(folder / "gateway", [pod.definition for pod in pods], **options)
        )
        for pod in pods:
            record(found, pod, recorded)
        yield found, fleet


def record(gateway: Gateway, pod: StandIn, count: int) -> None:
    """Write the owner of a pod's first ids to the database."""
    gateway.own_each((id_of(pod.number, number), pod.name) for number in range(count))


def wait_for_creates(gateway: Gateway) -> None:
    """Wait until pods take creates: they are compared first."""
    url = f"{gateway.place.url}/compute/v2.1/servers"
    body = {"server": {"name": "one", "flavorRef": "42", "imageRef": id_of(0, 1)}}

    def takes() -> bool:
        try:
            ask(url, "user", "POST", {**body, "networks": "none"})
        except OSError:
            return False
        return True

    wait_until(takes, every=0.3)
