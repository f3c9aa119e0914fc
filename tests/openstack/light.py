"""A light pod: the APIs of Nova and Cinder and their databases, and nothing else.

Enough for lists of rows that are put into the databases (`crowd.py`), in 150 MiB an API and a few
seconds. It takes the number, the ports and the names of a pod that is not up; Keystone does not
know it, so that its Neutron and its Keystone are those of the first pod's region.
"""

from pathlib import Path

from tests.openstack import databases
from tests.openstack.backing import mariadb
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import cinder, nova
from tests.openstack.settings import Settings

_DATABASES = {
    "nova_api": "nova_api",
    "nova_cell0": "nova",
    "nova_cell1": "nova",
    "cinder": "cinder",
}


def start(settings: Settings, number: int, dumps: Path, *, most: int = 1000, cells: int = 1) -> Pod:
    """Begin to start the N-th pod as a light one, empty; `most` things are on a page.

    Its Nova has `cells` for servers, `cell1` and following.
    """
    pod, processes = Pod(settings, number), Processes(settings)
    stop(pod)
    further = {f"nova_cell{count}": "nova" for count in range(2, cells + 1)}
    for name, template in {**_DATABASES, **further}.items():
        databases.load(processes, dumps, template, f"{pod.key}_{name}")
    first = {"region_name": "Pod1"}
    shared = {"keystone_authtoken": first, "neutron": first}
    nova.configure(pod, {"api": {"max_limit": most}, **shared})
    cinder.configure(pod, {"DEFAULT": {"osapi_max_limit": most}, **shared})
    _map_cells(pod)
    for count in range(2, cells + 1):
        _map_another_cell(pod, count)
    nova.start_api(pod, processes)
    cinder.start_api(pod, processes)
    return pod


def wait(pod: Pod) -> None:
    """Wait until both APIs answer."""
    processes = Processes(pod.settings)
    for service in ("nova", "cinder"):
        processes.wait_for_http(f"{pod.url(service)}/", f"{pod.key}-{service}-api")


def stop(pod: Pod) -> None:
    """Stop it and drop what it had."""
    processes = Processes(pod.settings)
    processes.stop(processes.names(f"{pod.key}-"))
    own = "select schema_name from information_schema.schemata where schema_name like"
    for name in mariadb.sql(pod.settings, f"{own} '{pod.key}\\_%'"):
        mariadb.sql(pod.settings, f"drop database {name}")


def endpoints(pod: Pod) -> dict[str, str]:
    """Give the URLs of its services by the names that `trio2o.yaml` has for them."""
    return {"compute": f"{pod.url('nova')}/v2.1", "volume": f"{pod.url('cinder')}/v3"}


def _map_cells(pod: Pod) -> None:
    """Tell Nova of its two cells in the first pod's words; nova-manage takes seconds a cell."""
    columns = "created_at, uuid, name, transport_url, disabled"
    mariadb.sql(
        pod.settings,
        f"insert into {pod.key}_nova_api.cell_mappings ({columns}, database_connection)"
        f" select {columns}, replace(database_connection, '/pod1_', '/{pod.key}_')"
        " from pod1_nova_api.cell_mappings",
    )


def _map_another_cell(pod: Pod, count: int) -> None:
    table = f"{pod.key}_nova_api.cell_mappings"
    mariadb.sql(
        pod.settings,
        f"insert into {table} (uuid, name, transport_url, database_connection, disabled)"
        f" select uuid(), 'cell{count}', transport_url,"
        f" replace(database_connection, '_cell1?', '_cell{count}?'), disabled"
        f" from {table} where name = 'cell1'",
    )
