"""Cinder's rows for operators.

Most are not handled: host, back end and cluster names mean something only inside a pod.
"""

from control_plane.services.operation import (
    NOT_YET,
    Operation,
    Ref,
    aggregate,
    broadcast,
    route,
)

#: The microversion that renamed `os-volume-manage` and let it list.
_MANAGEABLE = "3.8"


def _by_host(methods: str, path: str, since: str = "") -> Operation:
    if since:
        return route(methods, path, since=since, handler=NOT_YET)
    return route(methods, path, handler=NOT_YET)


OPERATIONS: tuple[Operation, ...] = (
    aggregate("GET", "/os-services", "volume_service", handler=NOT_YET),
    _by_host("PUT", "/os-services/enable"),
    _by_host("PUT", "/os-services/disable"),
    _by_host("PUT", "/os-services/disable-log-reason"),
    _by_host("PUT", "/os-services/freeze"),
    _by_host("PUT", "/os-services/thaw"),
    _by_host("PUT", "/os-services/failover_host"),
    broadcast(
        "PUT", "/os-services/get-log", handler="together", since="3.32", joined=("log_levels",)
    ),
    broadcast("PUT", "/os-services/set-log", handler="together", since="3.32"),
    aggregate("GET", "/clusters", "cluster", since="3.7", handler=NOT_YET),
    aggregate("GET", "/clusters/detail", "cluster", since="3.7", handler=NOT_YET),
    _by_host("GET", "/clusters/{cluster}", since="3.7"),
    _by_host("PUT", "/clusters/enable", since="3.7"),
    _by_host("PUT", "/clusters/disable", since="3.7"),
    aggregate("GET", "/os-hosts", "volume_host", handler=NOT_YET),
    _by_host("GET PUT", "/os-hosts/{volume_host}"),
    _by_host("PUT", "/os-hosts"),
    aggregate("GET", "/scheduler-stats/get_pools", "pool"),
    _by_host("GET", "/capabilities/{backend}"),
    _by_host("GET", "/manageable_volumes", since=_MANAGEABLE),
    _by_host("GET", "/manageable_volumes/detail", since=_MANAGEABLE),
    _by_host("GET", "/os-volume-manage"),
    _by_host("GET", "/os-volume-manage/detail"),
    _by_host("POST", "/manageable_volumes", since=_MANAGEABLE),
    _by_host("POST", "/os-volume-manage"),
    _by_host("GET", "/manageable_snapshots", since=_MANAGEABLE),
    _by_host("GET", "/manageable_snapshots/detail", since=_MANAGEABLE),
    _by_host("GET", "/os-snapshot-manage"),
    _by_host("GET", "/os-snapshot-manage/detail"),
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
    ),
)
