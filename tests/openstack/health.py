"""Whether a pod can be used: every API answers, every service has reported."""

import time

from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.progress import BedError


def wait(pod: Pod, processes: Processes, timeout: float = 150) -> None:
    """Wait until a pod is healthy; BedError when a process dies or time is up."""
    for service in ("placement", "glance", "neutron", "nova", "cinder"):
        name = f"{pod.key}-{service}" + ("" if service == "placement" else "-api")
        processes.wait_for_http(f"{pod.url(service)}/", name)
    client = Client(pod.settings.keystone)
    end = time.monotonic() + timeout
    while missing := lacking(pod, client):
        processes.require(*processes.names(f"{pod.key}-"))
        if time.monotonic() > end:
            logs = processes.log(f"{pod.key}-*")
            message = f"{pod.name} lacks {', '.join(sorted(missing))} after {timeout:.0f} s"
            raise BedError(f"{message}; see {logs}")
        time.sleep(0.5)


def lacking(pod: Pod, client: Client) -> set[str]:
    """Give what a pod lacks to be healthy."""
    try:
        compute = client.ask("GET", f"{pod.url('nova')}/v2.1/os-services")["services"]
        volume = client.ask("GET", f"{pod.url('cinder')}/v3/os-services")["services"]
        pools = client.ask("GET", f"{pod.url('cinder')}/v3/scheduler-stats/get_pools")["pools"]
    except (BedError, OSError) as error:
        return {str(error)}
    up = [service for service in [*compute, *volume] if service["state"] == "up"]
    found = {service["binary"] for service in up} | {service["host"] for service in up}
    wanted = {"nova-conductor", "nova-scheduler", "cinder-volume", "cinder-scheduler"}
    wanted |= {"cinder-backup", *pod.computes}
    # A scheduler of cinder that knows no pool yet refuses every create.
    back_ends = sum(service["binary"] == "cinder-volume" for service in up)
    return wanted - found | (set() if len(pools) >= back_ends else {"a pool of volumes"})


def healthy(pods: list[Pod]) -> bool:
    """Tell whether all pods can be used, at once."""
    client = Client(pods[0].settings.keystone)
    return not any(lacking(pod, client) for pod in pods)
