"""Nova's rows for operators.

Integer ids and host names repeat from pod to pod; users see them with their pod, which is how a
path or a body says which pod it is about.
"""

from control_plane.services.operation import (
    Operation,
    Ref,
    aggregate,
    computed,
    cross,
    route,
    schedule,
)

#: The last microversion of hosts' own API, and of searches by a pattern in the path.
_HOSTS = "2.42"
_SEARCH = "2.52"
_AGGREGATE_ZONES = ("aggregate.availability_zone", "aggregate.metadata.availability_zone")

OPERATIONS: tuple[Operation, ...] = (
    aggregate("GET", "/os-aggregates", "aggregate"),
    # An aggregate makes a zone, or joins one: a new zone's pod is any, if its name says none.
    schedule(
        "POST",
        "/os-aggregates",
        handler="local",
        answer="aggregate",
        creates=False,
        own_zones=_AGGREGATE_ZONES,
    ),
    route(
        "GET PUT DELETE",
        "/os-aggregates/{aggregate}",
        handler="local",
        answer="aggregate",
        own_zones=_AGGREGATE_ZONES,
    ),
    route(
        "POST",
        "/os-aggregates/{aggregate}/action",
        handler="local",
        answer="aggregate",
        hosts=("add_host.host", "remove_host.host"),
        own_zones=("set_metadata.metadata.availability_zone",),
    ),
    route("POST", "/os-aggregates/{aggregate}/images", handler="local", since="2.81"),
    aggregate("GET", "/os-hosts", "host", until=_HOSTS),
    route("GET", "/os-hosts/{host}", handler="local", answer="host_resource", until=_HOSTS),
    route("PUT", "/os-hosts/{host}", handler="local", answer="host_state", until=_HOSTS),
    *(
        route(
            "GET",
            f"/os-hosts/{{host}}/{verb}",
            handler="local",
            answer="host_state",
            until=_HOSTS,
            side_effect=True,
        )
        for verb in ("reboot", "shutdown", "startup")
    ),
    aggregate("GET", "/os-hypervisors", "hypervisor"),
    aggregate("GET", "/os-hypervisors/detail", "hypervisor"),
    computed("GET", "/os-hypervisors/statistics", handler="statistics", until="2.87"),
    route("GET", "/os-hypervisors/{hypervisor}", handler="local", answer="hypervisor"),
    route(
        "GET",
        "/os-hypervisors/{hypervisor}/uptime",
        handler="local",
        answer="hypervisor",
        until="2.87",
    ),
    *(
        aggregate(
            "GET",
            f"/os-hypervisors/{{pattern}}/{verb}",
            "hypervisor_match",
            handler="pattern",
            until=_SEARCH,
        )
        for verb in ("search", "servers")
    ),
    aggregate("GET", "/os-services", "nova_service"),
    # Below 2.53 the path holds a verb and the body a host; then it is the service's id.
    route(
        "PUT",
        "/os-services/{nova_service}",
        handler="local",
        answer="nova_service",
        hosts=("host",),
    ),
    route("DELETE", "/os-services/{nova_service}", handler="local"),
    computed("GET", "/os-instance_usage_audit_log", handler="audit"),
    computed("GET", "/os-instance_usage_audit_log/{before}", handler="audit"),
    aggregate("GET", "/os-migrations", "migration"),
    # Called by services; inside a pod they reach their own Nova.
    route("POST", "/os-assisted-volume-snapshots", owner=Ref("volume", "snapshot.volume_id")),
    route(
        "DELETE",
        "/os-assisted-volume-snapshots/{snapshot}",
        owner=Ref("volume", "?delete_info.volume_id"),
    ),
    route("GET", "/os-console-auth-tokens/{console_token}", handler="seek"),
    cross(
        "POST",
        "/os-server-external-events",
        handler="events",
        owner=Ref("server", "events[].server_uuid"),
    ),
)
