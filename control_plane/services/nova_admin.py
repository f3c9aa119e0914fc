"""Nova's rows for operators.

Most are not handled: integer ids and host names repeat from pod to pod, so that a path names
something in several pods at once.
"""

from control_plane.services.operation import (
    NOT_YET,
    Operation,
    Ref,
    aggregate,
    computed,
    cross,
    route,
    schedule,
)

OPERATIONS: tuple[Operation, ...] = (
    aggregate("GET", "/os-aggregates", "aggregate", handler=NOT_YET),
    schedule(
        "POST",
        "/os-aggregates",
        handler=NOT_YET,
        answer="aggregate",
        zone="aggregate.availability_zone",
    ),
    route("GET PUT DELETE", "/os-aggregates/{aggregate}", handler=NOT_YET, answer="aggregate"),
    route("POST", "/os-aggregates/{aggregate}/action", handler=NOT_YET, answer="aggregate"),
    route("POST", "/os-aggregates/{aggregate}/images", handler=NOT_YET, since="2.81"),
    aggregate("GET", "/os-hosts", "nova_host", handler=NOT_YET, until="2.42"),
    route("GET PUT", "/os-hosts/{nova_host}", handler=NOT_YET, until="2.42"),
    route("GET", "/os-hosts/{nova_host}/reboot", handler=NOT_YET, until="2.42", side_effect=True),
    route("GET", "/os-hosts/{nova_host}/shutdown", handler=NOT_YET, until="2.42", side_effect=True),
    route("GET", "/os-hosts/{nova_host}/startup", handler=NOT_YET, until="2.42", side_effect=True),
    aggregate("GET", "/os-hypervisors", "hypervisor", handler=NOT_YET),
    aggregate("GET", "/os-hypervisors/detail", "hypervisor", handler=NOT_YET),
    computed("GET", "/os-hypervisors/statistics", until="2.87"),
    route("GET", "/os-hypervisors/{hypervisor}", handler=NOT_YET, answer="hypervisor"),
    route("GET", "/os-hypervisors/{hypervisor}/uptime", handler=NOT_YET, until="2.87"),
    aggregate(
        "GET", "/os-hypervisors/{pattern}/search", "hypervisor", handler=NOT_YET, until="2.52"
    ),
    aggregate(
        "GET", "/os-hypervisors/{pattern}/servers", "hypervisor", handler=NOT_YET, until="2.52"
    ),
    aggregate("GET", "/os-services", "nova_service", handler=NOT_YET),
    route("PUT DELETE", "/os-services/{nova_service}", handler=NOT_YET),
    computed("GET", "/os-instance_usage_audit_log"),
    computed("GET", "/os-instance_usage_audit_log/{before}"),
    aggregate("GET", "/os-migrations", "migration", handler=NOT_YET),
    # Called by services; inside a pod they reach their own Nova.
    route(
        "POST",
        "/os-assisted-volume-snapshots",
        handler=NOT_YET,
        owner=Ref("volume", "snapshot.volume_id"),
    ),
    route("DELETE", "/os-assisted-volume-snapshots/{snapshot}", handler=NOT_YET),
    route("GET", "/os-console-auth-tokens/{console_token}", handler=NOT_YET),
    cross("POST", "/os-server-external-events", handler=NOT_YET),
)
