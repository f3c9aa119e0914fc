"""Cinder's rows for operators.

Host, back end and cluster names mean something only inside a pod; users see them with their pod,
which is how a path, a query or a body says which pod it is about.
"""

from control_plane.services.operation import (
    Operation,
    Options,
    Ref,
    aggregate,
    broadcast,
    route,
)

#: The microversion that renamed `os-volume-manage` and let it list.
_MANAGEABLE = "3.8"


#: What says the host of what is managed: the query of a list, the body of a create.
_LIST: Options = {"handler": "local", "hosts": ("?host", "?cluster")}
_MANAGE: Options = {
    "handler": "local",
    "hosts": ("volume.host", "volume.cluster"),
    "copies": (Ref("volume_type", "volume.volume_type"),),
    "answer": "volume",
    "creates": True,
}
#: Under the newer name.
_LIST_NEW: Options = {**_LIST, "since": _MANAGEABLE}
_MANAGE_NEW: Options = {**_MANAGE, "since": _MANAGEABLE}


def _service(verb: str) -> Operation:
    path = f"/os-services/{verb}"
    return route("PUT", path, handler="local", answer="volume_service", hosts=("host", "cluster"))


def _cluster(verb: str) -> Operation:
    path = f"/clusters/{verb}"
    return route(
        "PUT",
        path,
        since="3.7",
        handler="local",
        owner=Ref("cluster", "name"),
        answer="cluster",
        hosts=("name",),
    )


OPERATIONS: tuple[Operation, ...] = (
    aggregate("GET", "/os-services", "volume_service"),
    _service("enable"),
    _service("disable"),
    _service("disable-log-reason"),
    _service("freeze"),
    _service("thaw"),
    _service("failover_host"),
    broadcast(
        "PUT",
        "/os-services/get-log",
        handler="together",
        since="3.32",
        joined=("log_levels",),
        answer="log_level",
        hosts=("server",),
    ),
    broadcast("PUT", "/os-services/set-log", handler="together", since="3.32", hosts=("server",)),
    aggregate("GET", "/clusters", "cluster", since="3.7"),
    aggregate("GET", "/clusters/detail", "cluster", since="3.7"),
    route("GET", "/clusters/{cluster}", since="3.7", handler="local", answer="cluster"),
    _cluster("enable"),
    _cluster("disable"),
    aggregate("GET", "/os-hosts", "host"),
    route("GET", "/os-hosts/{host}", handler="local", answer="host_resource"),
    route("PUT", "/os-hosts/{host}", handler="local", answer="host_state"),
    # Without a host it has no usable form.
    route("PUT", "/os-hosts", handler="single"),
    aggregate("GET", "/scheduler-stats/get_pools", "pool"),
    route("GET", "/capabilities/{host}", handler="local"),
    route("GET", "/manageable_volumes", **_LIST_NEW),
    route("GET", "/manageable_volumes/detail", **_LIST_NEW),
    route("GET", "/os-volume-manage", **_LIST),
    route("GET", "/os-volume-manage/detail", **_LIST),
    route("POST", "/manageable_volumes", **_MANAGE_NEW),
    route("POST", "/os-volume-manage", **_MANAGE),
    route("GET", "/manageable_snapshots", **_LIST_NEW),
    route("GET", "/manageable_snapshots/detail", **_LIST_NEW),
    route("GET", "/os-snapshot-manage", **_LIST),
    route("GET", "/os-snapshot-manage/detail", **_LIST),
    route(
        "POST",
        "/manageable_snapshots",
        since=_MANAGEABLE,
        owner=Ref("volume", "snapshot.volume_id"),
        answer="snapshot",
        creates=True,
    ),
    route(
        "POST",
        "/os-snapshot-manage",
        owner=Ref("volume", "snapshot.volume_id"),
        answer="snapshot",
        creates=True,
    ),
    broadcast(
        "POST",
        "/workers/cleanup",
        handler="together",
        since="3.24",
        joined=("cleaning", "unavailable"),
        answer="worker",
        hosts=("host", "cluster_name"),
    ),
)
