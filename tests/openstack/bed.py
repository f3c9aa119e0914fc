"""The bed as a whole: up, down, and which pods it has."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.openstack import catalog, databases, files, health, seed
from tests.openstack.backing import mariadb, memcached, rabbitmq
from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.progress import BedError, say
from tests.openstack.services import cinder, glance, keystone, neutron, nova, placement
from tests.openstack.settings import MAX_PODS, Settings

_SERVICES = (placement, glance, neutron, nova, cinder)
#: A database of a pod and the template it is made from, the largest first.
_DATABASES = {
    "neutron": "neutron",
    "nova_cell1": "nova",
    "nova_cell0": "nova",
    "nova_api": "nova_api",
    "cinder": "cinder",
    "glance": "glance",
    "placement": "placement",
}


def placed(settings: Settings, count: int = MAX_PODS) -> list[Pod]:
    """Give the first pods, each in the zones it was started with before, if it was."""
    known = {record["number"]: record for record in files.records(settings)}
    wanted = [Pod(settings, number + 1) for number in range(count)]
    zones = tuple(known[p.number]["zone"] if p.number in known else p.zone for p in wanted)
    inner = tuple(
        ",".join(known[p.number]["inner_zones"] if p.number in known else p.inner_zones)
        for p in wanted
    )
    kept = replace(settings, zones=zones, inner_zones=inner)
    return [Pod(kept, pod.number) for pod in wanted]


def present(settings: Settings) -> list[Pod]:
    """Give the pods that have processes, with the zones they were started with."""
    processes = Processes(settings)
    return [pod for pod in placed(settings) if processes.pid(f"{pod.key}-nova-conductor")]


def running(settings: Settings) -> bool:
    """Tell whether any process of the bed runs."""
    processes = Processes(settings)
    return any(processes.pid(name) for name in processes.names())


def up(settings: Settings, count: int, *, third_in_first_zone: bool = False) -> list[Pod]:
    """Start and seed what is missing of Keystone and `count` pods."""
    if not 1 <= count <= MAX_PODS:
        message = f"{count} pods: choose 1 to {MAX_PODS}"
        raise BedError(message)
    if third_in_first_zone:
        settings = _share_first_zone(settings)
    settings.run.mkdir(parents=True, exist_ok=True)
    processes = Processes(settings)
    pods = placed(settings, count)
    mariadb.start(processes)
    memcached.start(processes)
    rabbitmq.start(processes)
    mariadb.wait(processes)
    rabbitmq.wait(processes)
    say("mariadb, rabbitmq and memcached answer")
    dumps = databases.templates(processes)
    keystone.configure(settings)
    databases.load(processes, dumps, "keystone", "keystone")
    keystone.start(processes)
    catalog.seed(settings, pods)
    say("keystone answers and is seeded")
    # One pod after the other: two cores start them no faster side by side.
    for pod in pods:
        _start(pod, processes, dumps)
        say(f"{pod.name}: processes started")
    for pod in pods:
        health.wait(pod, processes)
        seed.seed(pod, processes)
        say(f"{pod.name} is healthy, zone {pod.zone}{_inner(pod)}")
    files.write(settings, present(settings))
    say(f"{count} pods are up; client files: {files.clouds_file(settings)}, openrc-*")
    return pods


def down(settings: Settings, only: list[str]) -> None:
    """Stop everything, or the processes whose names begin with one of `only`."""
    processes = Processes(settings)
    names = processes.names()
    if only:
        beginnings = tuple(f"{word}-" for word in only)
        chosen = [name for name in names if f"{name}-".startswith(beginnings)]
        if not chosen:
            message = f"no process of {' or '.join(only)}; there are: {' '.join(names) or 'none'}"
            raise BedError(message)
        processes.stop(chosen)
        say(f"{len(chosen)} processes stopped")
        return
    last = {rabbitmq.NAME, mariadb.NAME}
    shared = {keystone.NAME, memcached.NAME}
    processes.stop(name for name in names if name not in last | shared | {rabbitmq.MAPPER})
    processes.stop(shared)
    processes.stop(last, grace=40)
    processes.stop([rabbitmq.MAPPER])
    say(f"{len(names)} processes stopped")


def point(settings: Settings, gateway: str) -> dict[str, str]:
    """Point the user region's catalog at a gateway and give its endpoints."""
    urls = catalog.user_endpoints(replace(settings, gateway=gateway.rstrip("/")))
    catalog.set_endpoints(Client(settings.keystone), {settings.user_region: urls})
    return urls


def _share_first_zone(settings: Settings) -> Settings:
    def third_as_first(names: tuple[str, ...]) -> tuple[str, ...]:
        first = [names[number % len(names)] for number in range(2)]
        return (*first, first[0], *names[3:])

    zones, inner = third_as_first(settings.zones), third_as_first(settings.inner_zones)
    return replace(settings, zones=zones, inner_zones=inner)


def _start(pod: Pod, processes: Processes, dumps: Path) -> None:
    for service in _SERVICES:
        service.configure(pod)
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda entry: databases.load(processes, dumps, entry[1], f"{pod.key}_{entry[0]}"),
                _DATABASES.items(),
            )
        )
    nova.map_cells(pod, processes)
    for service in _SERVICES:
        service.start(pod, processes)


def _inner(pod: Pod) -> str:
    inner = ", ".join(pod.inner_zones)
    return "" if inner == pod.zone else f" (inside the pod: {inner})"
