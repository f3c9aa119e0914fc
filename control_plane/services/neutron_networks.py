"""Neutron's rows for networks, subnets, ports, routers, floating IPs and what lies below them.

Every create also has a bulk form, the plural with a list: references name both.
"""

from control_plane.services.neutron_tags import replicated_tags, tags
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

_GATEWAY = "router|routers[].external_gateway_info.network_id"
_GATEWAYS = "router.external_gateways[].network_id"
_KNOWN_ZONES = "/availability_zones"


_DISCOVERY = (
    # The list of versions, above v2.0.
    static("GET", "", handler="versions"),
    static("GET", "/", handler="versions"),
    computed("GET", "/extensions", handler="single"),
    computed("GET", "/extensions/{alias}", handler="single"),
)

_NETWORKS = (
    aggregate("GET", "/networks", "network"),
    schedule(
        "POST",
        "/networks",
        answer="network",
        zone="network|networks[].availability_zone_hints",
        known_zones=_KNOWN_ZONES,
    ),
    route("GET PUT DELETE", "/networks/{network}", answer="network"),
    route("GET", "/networks/{network}/dhcp-agents", answer="agent"),
    *tags("/networks/{network}"),
    aggregate("GET", "/subnets", "subnet"),
    route(
        "POST",
        "/subnets",
        owner=Ref("network", "subnet|subnets[].network_id"),
        answer="subnet",
        creates=True,
    ),
    route("GET PUT DELETE", "/subnets/{subnet}", answer="subnet"),
    *tags("/subnets/{subnet}"),
    computed("GET", "/availability_zones", handler="zones", answer="zone"),
    schedule("GET", "/auto-allocated-topology/{project}", handler=NOT_YET, side_effect=True),
    broadcast("DELETE", "/auto-allocated-topology/{project}"),
    aggregate("GET", "/network-ip-availabilities", "network_ip_availability"),
    route("GET", "/network-ip-availabilities/{network}"),
)

_PORTS = (
    aggregate("GET", "/ports", "port"),
    route(
        "POST",
        "/ports",
        owner=Ref("network", "port|ports[].network_id"),
        same_pod=(
            Ref("security_group", "port|ports[].security_groups"),
            Ref("subnet", "port|ports[].fixed_ips[].subnet_id"),
        ),
        answer="port",
        creates=True,
    ),
    route("GET DELETE", "/ports/{port}", answer="port"),
    cross(
        "PUT",
        "/ports/{port}",
        same_pod=(
            Ref("security_group", "port.security_groups"),
            Ref("subnet", "port.fixed_ips[].subnet_id"),
            Ref("qos_policy", "port.qos_policy_id"),
        ),
        answer="port",
    ),
    route("GET POST", "/ports/{port}/bindings"),
    route("GET PUT DELETE", "/ports/{port}/bindings/{host}"),
    route("PUT", "/ports/{port}/bindings/{host}/activate"),
    *tags("/ports/{port}"),
)

_POOLS = (
    aggregate("GET", "/subnetpools", "subnetpool"),
    broadcast("POST", "/subnetpools", answer="subnetpool", creates=True),
    single("GET", "/subnetpools/{subnetpool}", answer="subnetpool"),
    broadcast("PUT DELETE", "/subnetpools/{subnetpool}"),
    broadcast("PUT", "/subnetpools/{subnetpool}/add_prefixes"),
    broadcast("PUT", "/subnetpools/{subnetpool}/remove_prefixes"),
    cross(
        "PUT",
        "/subnetpools/{subnetpool}/onboard_network_subnets",
        same_pod=(Ref("network", "network_id"),),
    ),
    *replicated_tags("/subnetpools/{subnetpool}"),
    aggregate("GET", "/address-scopes", "address_scope"),
    broadcast("POST", "/address-scopes", answer="address_scope", creates=True),
    single("GET", "/address-scopes/{address_scope}", answer="address_scope"),
    broadcast("PUT DELETE", "/address-scopes/{address_scope}"),
)

_ROUTERS = (
    aggregate("GET", "/routers", "router"),
    schedule(
        "POST",
        "/routers",
        answer="router",
        zone="router|routers[].availability_zone_hints",
        known_zones=_KNOWN_ZONES,
        pins=(Ref("network", _GATEWAY),),
    ),
    route("GET DELETE", "/routers/{router}", answer="router"),
    cross(
        "PUT",
        "/routers/{router}",
        same_pod=(Ref("network", "router.external_gateway_info.network_id"),),
        answer="router",
    ),
    cross(
        "PUT",
        "/routers/{router}/add_router_interface",
        same_pod=(Ref("subnet", "subnet_id"), Ref("port", "port_id")),
    ),
    route("PUT", "/routers/{router}/remove_router_interface"),
    route("PUT", "/routers/{router}/add_extraroutes", answer="router"),
    route("PUT", "/routers/{router}/remove_extraroutes", answer="router"),
    *(
        cross(
            "PUT",
            f"/routers/{{router}}/{verb}_external_gateways",
            same_pod=(Ref("network", _GATEWAYS),),
            answer="router",
        )
        for verb in ("add", "update", "remove")
    ),
    route("GET POST", "/routers/{router}/conntrack_helpers"),
    route("GET PUT DELETE", "/routers/{router}/conntrack_helpers/{conntrack_helper}"),
    route("GET", "/routers/{router}/l3-agents", answer="agent"),
    *tags("/routers/{router}"),
)

_FORWARDINGS = "/floatingips/{floatingip}/port_forwardings"
_FORWARDED = (Ref("port", "port_forwarding|port_forwardings[].internal_port_id"),)

_FLOATING_IPS = (
    aggregate("GET", "/floatingips", "floatingip"),
    route(
        "POST",
        "/floatingips",
        owner=Ref("network", "floatingip|floatingips[].floating_network_id"),
        same_pod=(Ref("port", "floatingip|floatingips[].port_id"),),
        answer="floatingip",
        creates=True,
    ),
    route("GET DELETE", "/floatingips/{floatingip}", answer="floatingip"),
    cross(
        "PUT",
        "/floatingips/{floatingip}",
        same_pod=(Ref("port", "floatingip.port_id"),),
        answer="floatingip",
    ),
    route("GET", _FORWARDINGS),
    cross("POST", _FORWARDINGS, same_pod=_FORWARDED),
    route("GET DELETE", f"{_FORWARDINGS}/{{port_forwarding}}"),
    cross("PUT", f"{_FORWARDINGS}/{{port_forwarding}}", same_pod=_FORWARDED),
    *tags("/floatingips/{floatingip}"),
    aggregate("GET", "/floatingip_pools", "floatingip_pool"),
    aggregate("GET", "/ndp_proxies", "ndp_proxy"),
    route(
        "POST",
        "/ndp_proxies",
        owner=Ref("router", "ndp_proxy|ndp_proxies[].router_id"),
        answer="ndp_proxy",
        creates=True,
    ),
    route("GET PUT DELETE", "/ndp_proxies/{ndp_proxy}", answer="ndp_proxy"),
    aggregate("GET", "/local_ips", "local_ip"),
    # Routed by one of two kinds of id, which only pins can say.
    route(
        "POST",
        "/local_ips",
        handler="schedule",
        pins=(
            Ref("network", "local_ip|local_ips[].network_id"),
            Ref("port", "local_ip|local_ips[].local_port_id"),
        ),
        answer="local_ip",
        creates=True,
    ),
    route("GET PUT DELETE", "/local_ips/{local_ip}", answer="local_ip"),
    route("GET", "/local_ips/{local_ip}/port_associations"),
    cross(
        "POST",
        "/local_ips/{local_ip}/port_associations",
        same_pod=(Ref("port", "port_association|port_associations[].fixed_port_id"),),
    ),
    route("GET DELETE", "/local_ips/{local_ip}/port_associations/{port}"),
)

OPERATIONS: tuple[Operation, ...] = (
    *_DISCOVERY,
    *_NETWORKS,
    *_PORTS,
    *_POOLS,
    *_ROUTERS,
    *_FLOATING_IPS,
)
