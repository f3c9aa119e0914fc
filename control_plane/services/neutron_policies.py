"""Neutron's rows for security groups, address groups, sharing and QoS.

Each pod makes the ids of such things itself. A security group lives in the pod that the create was
scheduled to, and is written there.
"""

from control_plane.services.neutron_tags import replicated_tags
from control_plane.services.operation import (
    Operation,
    Ref,
    aggregate,
    broadcast,
    route,
    single,
)

_GROUP = "/security-groups/{security_group}"
_POLICY = "/qos/policies/{qos_policy}"
_SHARED = "rbac_policy|rbac_policies[]"
_STATEFULNESS = "/security-groups-default-statefulness"

_SECURITY = (
    aggregate("GET", "/security-groups", "security_group"),
    broadcast(
        "POST", "/security-groups", handler="schedule", answer="security_group", creates=True
    ),
    single("GET", _GROUP, answer="security_group"),
    broadcast("PUT DELETE", _GROUP, handler="route", answer="security_group"),
    *replicated_tags(_GROUP),
    aggregate("GET", "/security-group-rules", "security_group_rule"),
    broadcast(
        "POST",
        "/security-group-rules",
        handler="route",
        owner=Ref("security_group", "security_group_rule|security_group_rules[].security_group_id"),
        same_pod=(
            Ref("security_group", "security_group_rule|security_group_rules[].remote_group_id"),
        ),
        answer="security_group_rule",
        creates=True,
    ),
    single("GET", "/security-group-rules/{security_group_rule}", answer="security_group_rule"),
    broadcast("DELETE", "/security-group-rules/{security_group_rule}", handler="route"),
    aggregate("GET", "/default-security-group-rules", "default_security_group_rule"),
    broadcast("POST", "/default-security-group-rules"),
    single("GET", "/default-security-group-rules/{default_security_group_rule}"),
    broadcast("DELETE", "/default-security-group-rules/{default_security_group_rule}"),
    aggregate("GET", _STATEFULNESS, "security_groups_default_statefulness"),
    broadcast("POST", _STATEFULNESS),
    single("GET", f"{_STATEFULNESS}/{{security_groups_default_statefulness}}"),
    broadcast("PUT DELETE", f"{_STATEFULNESS}/{{security_groups_default_statefulness}}"),
    aggregate("GET", "/address-groups", "address_group"),
    broadcast("POST", "/address-groups"),
    single("GET", "/address-groups/{address_group}", answer="address_group"),
    broadcast("PUT DELETE", "/address-groups/{address_group}"),
    broadcast("PUT", "/address-groups/{address_group}/add_addresses"),
    broadcast("PUT", "/address-groups/{address_group}/remove_addresses"),
)

_SHARING = (
    aggregate("GET", "/rbac-policies", "rbac_policy"),
    # The kind of the shared object stands beside its id; only pins can say that.
    route(
        "POST",
        "/rbac-policies",
        handler="schedule",
        pins=tuple(
            Ref(
                resource,
                f"rbac_policy[object_type={resource}]"
                f"|rbac_policies[object_type={resource}].object_id",
            )
            for resource in (
                "network",
                "qos_policy",
                "security_group",
                "address_scope",
                "subnetpool",
                "address_group",
            )
        ),
        answer="rbac_policy",
        creates=True,
    ),
    route("GET PUT DELETE", "/rbac-policies/{rbac_policy}", answer="rbac_policy"),
)


def _rules(collection: str) -> tuple[Operation, ...]:
    """Make the rows of one kind of rule of a QoS policy."""
    return (
        single("GET", f"{_POLICY}/{collection}"),
        single("GET", f"{_POLICY}/{collection}/{{rule}}"),
        broadcast("POST", f"{_POLICY}/{collection}"),
        broadcast("PUT DELETE", f"{_POLICY}/{collection}/{{rule}}"),
    )


def _alias_rules(kind: str) -> tuple[Operation, ...]:
    """Make the rows of one kind of rule without its policy in the path."""
    return (
        single("GET", f"/qos/alias_{kind}_rules/{{rule}}"),
        broadcast("PUT DELETE", f"/qos/alias_{kind}_rules/{{rule}}"),
    )


_QOS = (
    aggregate("GET", "/qos/policies", "qos_policy"),
    broadcast("POST", "/qos/policies"),
    single("GET", _POLICY, answer="qos_policy"),
    broadcast("PUT DELETE", _POLICY),
    # The plugin's prefix may be left out, and so it is in the tags' own definition.
    *replicated_tags("/policies/{qos_policy}"),
    *_rules("bandwidth_limit_rules"),
    *_rules("dscp_marking_rules"),
    *_rules("minimum_bandwidth_rules"),
    *_rules("packet_rate_limit_rules"),
    *_rules("minimum_packet_rate_rules"),
    *_alias_rules("bandwidth_limit"),
    *_alias_rules("dscp_marking"),
    *_alias_rules("minimum_bandwidth"),
    *_alias_rules("minimum_packet_rate"),
)

OPERATIONS: tuple[Operation, ...] = (*_SECURITY, *_SHARING, *_QOS)
