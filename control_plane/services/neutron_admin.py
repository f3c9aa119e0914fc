"""Neutron's rows for trunks, segments, metering, logs, router flavors, agents and quotas."""

from control_plane.services.neutron_tags import tags
from control_plane.services.operation import (
    NOT_YET,
    Operation,
    Ref,
    aggregate,
    broadcast,
    computed,
    cross,
    route,
    schedule,
    single,
    static,
)

_TRUNKS = (
    aggregate("GET", "/trunks", "trunk"),
    route(
        "POST",
        "/trunks",
        owner=Ref("port", "trunk|trunks[].port_id"),
        same_pod=(Ref("port", "trunk|trunks[].sub_ports[].port_id"),),
        answer="trunk",
        creates=True,
    ),
    route("GET PUT DELETE", "/trunks/{trunk}", answer="trunk"),
    cross("PUT", "/trunks/{trunk}/add_subports", same_pod=(Ref("port", "sub_ports[].port_id"),)),
    route("PUT", "/trunks/{trunk}/remove_subports"),
    route("GET", "/trunks/{trunk}/get_subports"),
    *tags("/trunks/{trunk}"),
)

_SEGMENTS = (
    aggregate("GET", "/segments", "segment"),
    route(
        "POST",
        "/segments",
        owner=Ref("network", "segment|segments[].network_id"),
        answer="segment",
        creates=True,
    ),
    route("GET PUT DELETE", "/segments/{segment}", answer="segment"),
    aggregate("GET", "/network_segment_ranges", "network_segment_range"),
    # Physical networks are a pod's own and the body does not say which pod.
    schedule("POST", "/network_segment_ranges", handler=NOT_YET, answer="network_segment_range"),
    route("GET PUT DELETE", "/network_segment_ranges/{network_segment_range}"),
    *tags("/network_segment_ranges/{network_segment_range}"),
)

_METERING = (
    aggregate("GET", "/metering/metering-labels", "metering_label"),
    aggregate("GET", "/metering/metering-label-rules", "metering_label_rule"),
    broadcast("POST", "/metering/metering-labels"),
    broadcast("POST", "/metering/metering-label-rules"),
    single("GET", "/metering/metering-labels/{metering_label}"),
    single("GET", "/metering/metering-label-rules/{metering_label_rule}"),
    broadcast("DELETE", "/metering/metering-labels/{metering_label}"),
    broadcast("DELETE", "/metering/metering-label-rules/{metering_label_rule}"),
)

_LOGS = (
    aggregate("GET", "/log/logs", "log"),
    # Routed by what is logged or by the port it is logged for, which only pins can say.
    route(
        "POST",
        "/log/logs",
        handler="schedule",
        pins=(
            Ref("port", "log|logs[].target_id"),
            Ref(
                "security_group",
                "log[resource_type=security_group]|logs[resource_type=security_group].resource_id",
            ),
            Ref("router", "log[resource_type=snat]|logs[resource_type=snat].resource_id"),
        ),
        answer="log",
        creates=True,
    ),
    route("GET PUT DELETE", "/log/logs/{log}", answer="log"),
    computed("GET", "/log/loggable-resources"),
)

_FLAVOR = "/flavors/{network_flavor}"

_FLAVORS = (
    aggregate("GET", "/flavors", "network_flavor"),
    aggregate("GET", "/service_profiles", "service_profile"),
    broadcast("POST", "/flavors"),
    broadcast("POST", "/service_profiles"),
    single("GET", _FLAVOR),
    single("GET", "/service_profiles/{service_profile}"),
    single("GET", f"{_FLAVOR}/next_providers/{{service_profile}}"),
    broadcast("PUT DELETE", _FLAVOR),
    broadcast("PUT DELETE", "/service_profiles/{service_profile}"),
    broadcast("POST", f"{_FLAVOR}/service_profiles"),
    broadcast("DELETE", f"{_FLAVOR}/service_profiles/{{service_profile}}"),
    computed("GET", "/service-providers", handler="single"),
    computed("GET", "/qos/rule-types", handler="single"),
    computed("GET", "/qos/rule-types/{rule_type}", handler="single"),
)

_AGENTS = (
    aggregate("GET", "/agents", "agent"),
    route("GET PUT DELETE", "/agents/{agent}", answer="agent"),
    route("GET", "/agents/{agent}/dhcp-networks", answer="network"),
    route("POST", "/agents/{agent}/dhcp-networks"),
    route("DELETE", "/agents/{agent}/dhcp-networks/{network}"),
    route("GET", "/agents/{agent}/l3-routers", answer="router"),
    route("POST", "/agents/{agent}/l3-routers"),
    route("PUT DELETE", "/agents/{agent}/l3-routers/{router}"),
)

_QUOTAS = (
    computed("GET", "/quotas"),
    static("GET", "/quotas/tenant"),
    static("GET", "/quotas/project"),
    computed("GET", "/quotas/{project}", handler="quotas"),
    computed("GET", "/quotas/{project}/default", handler="quotas"),
    computed("GET", "/quotas/{project}/details", handler="quotas"),
    broadcast(
        "PUT",
        "/quotas/{project}",
        handler="broadcast",
        kept="quota",
        defaults="/quotas/{project}/default",
    ),
    broadcast("DELETE", "/quotas/{project}", handler="broadcast", kept="quota"),
)

OPERATIONS: tuple[Operation, ...] = (
    *_TRUNKS,
    *_SEGMENTS,
    *_METERING,
    *_LOGS,
    *_FLAVORS,
    *_AGENTS,
    *_QUOTAS,
)
