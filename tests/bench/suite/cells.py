"""One Nova of two cells beside the gateway before two Novas that have one of the cells each.

Needs the test bed (`make pods`), in which it starts light pods: the same servers are rows of both.
Nova merges its cells' rows in one process, the gateway what two Novas made of theirs. CPU is that
of all processes that answer: Nova's APIs and MariaDB, Envoy and the control plane.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from tests.bench.bed import under_test
from tests.bench.lists import Target
from tests.bench.machine import Process, children
from tests.bench.rounds import Figures, Result, Variant, interleave
from tests.bench.scale import Scale
from tests.integration import tenant as tenants
from tests.integration import thousand
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant
from tests.openstack import bed, crowd, databases, light
from tests.openstack.backing import mariadb
from tests.openstack.crowd import Row
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.settings import Settings

#: How many servers each cell has, and each pod.
_SIZES = (700, 303)
#: What a client asks for, items.
_LIMITS = (20, 200, 1000)
#: Lists a round.
_ASKED = 2
_PODS, _CELLS = (6, 7), 9


def run(folder: Path, scale: Scale) -> Result:
    """Ask both in turn for first pages of several sizes."""
    settings = Settings.load()
    home = next(iter(bed.present(settings)), None)
    if home is None:
        message = "the bed is down: make pods"
        raise SystemExit(message)
    with _project(settings, home) as (tenant, template):
        pods, whole = _filled(settings, home, tenant, template)
        gateway = Gateway(settings, pods, folder, thousand.definitions(pods))
        gateway.start()
        try:
            secret = tenant.cloud.client.token
            ours = _all([*_apis(settings, pods), gateway.pid], settings)
            theirs = _all(_apis(settings, [whole]), settings)
            variants = []
            for limit in _LIMITS:
                path = f"/v2.1/servers/detail?limit={limit}"
                for name, url, processes in (
                    ("two cells", whole.url("nova"), theirs),
                    ("gateway", f"{gateway.url}/compute", ours),
                ):
                    # A connection of its own each round: pods close what idles.
                    target = partial(Target, f"{name} {limit}", url, path, secret)
                    target().ask()
                    variants.append(
                        Variant(f"{name} {limit}", partial(_measure, target, processes))
                    )
            return interleave("cells", variants, scale.rounds, under_test(settings))
        finally:
            gateway.stop()
            for pod in (*pods, whole):
                light.stop(pod)


@contextmanager
def _project(settings: Settings, home: Pod) -> Iterator[tuple[Tenant, str]]:
    """Make a project with a server."""
    tenant = tenants.make(settings, [home], "")
    [cloud] = tenant.direct.values()
    server = cloud.create_server("template", networks="none")
    cloud.wait_for_server(server)
    try:
        yield tenant, server
    finally:
        tenants.remove(settings, tenant)


def _filled(settings: Settings, home: Pod, tenant: Tenant, template: str) -> tuple[list[Pod], Pod]:
    """Start the pods and the Nova of two cells, and give both the same servers."""
    dumps = databases.templates(Processes(settings))
    pods = [light.start(settings, number, dumps) for number in _PODS]
    whole = light.start(settings, _CELLS, dumps, cells=len(pods))
    random = Random(29)
    for cell, (pod, count) in enumerate(zip(pods, _SIZES, strict=True), 1):
        rows: Sequence[Row] = thousand.servers(random, pod, tenant.cloud.client.project_id, count)
        crowd.servers(home, template, pod, rows)
        crowd.servers(home, template, whole, rows, f"cell{cell}")
    for pod in (*pods, whole):
        light.wait(pod)
    return pods, whole


def _apis(settings: Settings, pods: Sequence[Pod]) -> list[int]:
    found = [Processes(settings).pid(f"{pod.key}-nova-api") for pod in pods]
    return [pid for pid in found if pid is not None]


def _all(pids: Sequence[int], settings: Settings) -> list[Process]:
    """Add MariaDB, and what the processes have started."""
    database = Processes(settings).pid(mariadb.NAME)
    waiting = [*pids, *([database] if database is not None else [])]
    found: list[Process] = []
    while waiting:
        pid = waiting.pop()
        found.append(Process(str(pid), pid))
        waiting += children(pid)
    return found


def _measure(connect: Callable[[], Target], processes: Sequence[Process]) -> Figures:
    target = connect()
    before = sum(process.cpu for process in processes)
    for _ in range(_ASKED):
        target.ask()
    used = sum(process.cpu for process in processes) - before
    return {
        "p50": target.median,
        "CPU ms": used / _ASKED * 1000,
        "items": float(target.items),
    }
