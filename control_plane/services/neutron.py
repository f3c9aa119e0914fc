"""Neutron: v2.0 with the extensions of its own tree, as of release 29.

The rows stand in `neutron_networks.py` (networks, ports, routers, floating IPs),
`neutron_policies.py` (security, QoS, sharing) and `neutron_admin.py` (trunks, segments, metering,
logs, flavors, agents, quotas).
"""

from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

from control_plane.services import neutron_admin, neutron_networks, neutron_policies
from control_plane.services.listing import Listing, Paged
from control_plane.services.operation import Resource, SortKey
from control_plane.services.service import FaultForm, LinkForm, Paging, Service

_AGENTS = ("availability_zone",)
_ZONES = ("availability_zones", "availability_zone_hints")


def _resource(
    name: str,
    path: str,
    *,
    plural: str = "",
    singular: str = "",
    zones: tuple[str, ...] = (),
) -> Resource:
    """Make a resource whose show is asked for the id alone."""
    return Resource(
        name,
        plural or f"{name}s",
        probe=f"{path}/{{id}}?fields=id",
        singular=singular,
        zones=zones,
    )


# No id here can be chosen, so that nothing is in two pods under one id.
_RESOURCES = (
    Resource("zone", "availability_zones", identity="name", links=None),
    _resource("network", "/networks", zones=_ZONES),
    _resource("subnet", "/subnets"),
    _resource("port", "/ports"),
    _resource("subnetpool", "/subnetpools"),
    _resource("address_scope", "/address-scopes"),
    Resource(
        "network_ip_availability",
        "network_ip_availabilities",
        probe="/network-ip-availabilities/{id}",
        identity="network_id",
        order=(SortKey("network_id"),),
        merge_by="network_id",
    ),
    _resource("router", "/routers", zones=_ZONES),
    _resource("floatingip", "/floatingips"),
    Resource(
        "floatingip_pool",
        "floatingip_pools",
        identity="subnet_id",
        order=(SortKey("subnet_id"),),
        merge_by="subnet_id",
    ),
    Resource("port_forwarding", "port_forwardings"),
    Resource("conntrack_helper", "conntrack_helpers"),
    Resource("port_association", "port_associations", identity="fixed_port_id"),
    _resource("ndp_proxy", "/ndp_proxies", plural="ndp_proxies"),
    _resource("local_ip", "/local_ips"),
    _resource("security_group", "/security-groups"),
    _resource("security_group_rule", "/security-group-rules"),
    _resource("default_security_group_rule", "/default-security-group-rules"),
    _resource(
        "security_groups_default_statefulness",
        "/security-groups-default-statefulness",
        plural="security_groups_default_statefulness",
    ),
    _resource("address_group", "/address-groups"),
    replace(
        _resource("rbac_policy", "/rbac-policies", plural="rbac_policies"),
        lists=Listing(paged=Paged.NONE),
    ),
    _resource("qos_policy", "/qos/policies", plural="policies", singular="policy"),
    _resource("trunk", "/trunks"),
    _resource("segment", "/segments"),
    _resource("network_segment_range", "/network_segment_ranges"),
    _resource("metering_label", "/metering/metering-labels"),
    _resource("metering_label_rule", "/metering/metering-label-rules"),
    _resource("log", "/log/logs"),
    _resource("network_flavor", "/flavors", plural="flavors", singular="flavor"),
    _resource("service_profile", "/service_profiles"),
    _resource("agent", "/agents", zones=_AGENTS),
)

NETWORK = Service(
    name="network",
    catalog_types=("network",),
    prefix="/network",
    versions=("v2.0",),
    bare=("/v2.0",),
    fault=FaultForm.NEUTRON,
    malformed="Body contains invalid data",
    paging=Paging(
        None,
        None,
        LinkForm.LINKS,
        HTTPStatus.NOT_FOUND,
        zero_is_all=True,
        checks_markers=False,
        choice="fields",
        reverse="page_reverse",
    ),
    resources=MappingProxyType({resource.name: resource for resource in _RESOURCES}),
    operations=(
        *neutron_networks.OPERATIONS,
        *neutron_policies.OPERATIONS,
        *neutron_admin.OPERATIONS,
    ),
    underscores=True,
    trailing_slash=True,
    optional_prefixes=frozenset({"qos", "metering", "log"}),
)
