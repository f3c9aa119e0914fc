"""Nova's rows for what ended: APIs that were removed (410) and proxies up to a microversion."""

from control_plane.services.operation import (
    Operation,
    Ref,
    aggregate,
    broadcast,
    route,
    schedule,
    single,
    static,
)

#: The last microversion of the proxies to Glance, Neutron, Cinder and Ironic.
_PROXY = "2.35"
_IMAGE_METADATA = "2.38"


def _gone(methods: str, path: str) -> Operation:
    return static(methods, path, handler="gone")


_REMOVED = (
    _gone("GET POST", "/os-agents"),
    _gone("PUT DELETE", "/os-agents/{agent}"),
    _gone("GET POST", "/os-cells"),
    _gone("GET", "/os-cells/capacities"),
    _gone("GET", "/os-cells/detail"),
    _gone("GET", "/os-cells/info"),
    _gone("GET", "/os-cells/{cell}/capacities"),
    _gone("POST", "/os-cells/sync_instances"),
    _gone("GET PUT DELETE", "/os-cells/{cell}"),
    _gone("POST", "/os-certificates"),
    _gone("GET", "/os-certificates/{certificate}"),
    _gone("GET POST", "/os-cloudpipe"),
    _gone("PUT", "/os-cloudpipe/{cloudpipe}"),
    _gone("GET", "/os-fixed-ips/{fixed_ip}"),
    _gone("POST", "/os-fixed-ips/{fixed_ip}/action"),
    _gone("GET", "/os-floating-ip-dns"),
    _gone("PUT DELETE", "/os-floating-ip-dns/{domain}"),
    _gone("GET PUT DELETE", "/os-floating-ip-dns/{domain}/entries/{entry}"),
    _gone("GET POST", "/os-floating-ips-bulk"),
    _gone("GET PUT", "/os-floating-ips-bulk/{host}"),
    _gone("GET", "/os-fping"),
    _gone("GET", "/os-fping/{server}"),
    _gone("POST", "/os-networks"),
    _gone("POST", "/os-networks/add"),
    _gone("DELETE", "/os-networks/{network}"),
    _gone("POST", "/os-networks/{network}/action"),
    _gone("GET POST", "/os-security-group-default-rules"),
    _gone("GET DELETE", "/os-security-group-default-rules/{rule}"),
    _gone("POST", "/os-tenant-networks"),
    _gone("DELETE", "/os-tenant-networks/{network}"),
    _gone("GET POST", "/servers/{server}/consoles"),
    _gone("GET DELETE", "/servers/{server}/consoles/{console}"),
    _gone("GET", "/servers/{server}/os-virtual-interfaces"),
)


def _proxied(methods: str, path: str, answer: str) -> Operation:
    return route(methods, path, answer=answer, until=_PROXY)


def _proxied_list(path: str, answer: str) -> Operation:
    return aggregate("GET", path, answer, until=_PROXY)


_IMAGES = (
    aggregate(
        "GET",
        "/images",
        "nova_image",
        source="/images/detail",
        fields=("id", "name", "links"),
        until=_PROXY,
    ),
    _proxied_list("/images/detail", "nova_image"),
    single("GET", "/images/{image}", until=_PROXY),
    broadcast("DELETE", "/images/{image}", handler="broadcast", until=_PROXY),
    single("GET", "/images/{image}/metadata", until=_IMAGE_METADATA),
    single("GET", "/images/{image}/metadata/{key}", until=_IMAGE_METADATA),
    broadcast("POST PUT", "/images/{image}/metadata", handler="broadcast", until=_IMAGE_METADATA),
    broadcast(
        "PUT DELETE",
        "/images/{image}/metadata/{key}",
        handler="broadcast",
        until=_IMAGE_METADATA,
    ),
)

_NETWORKS = (
    _proxied_list("/os-floating-ip-pools", "nova_floating_ip_pool"),
    _proxied_list("/os-floating-ips", "nova_floating_ip"),
    schedule(
        "POST",
        "/os-floating-ips",
        answer="nova_floating_ip",
        # A pool is an external network, by its name or its id.
        pins=(Ref("network", "pool"),),
        until=_PROXY,
    ),
    _proxied("GET DELETE", "/os-floating-ips/{floatingip}", "nova_floating_ip"),
    _proxied_list("/os-networks", "nova_network"),
    _proxied_list("/os-tenant-networks", "nova_network"),
    _proxied("GET", "/os-networks/{network}", "nova_network"),
    _proxied("GET", "/os-tenant-networks/{network}", "nova_network"),
    _proxied_list("/os-security-groups", "nova_security_group"),
)

#: A group is in one pod, as Neutron's are behind their own API.
_SECURITY_GROUPS = (
    broadcast(
        "POST",
        "/os-security-groups",
        handler="schedule",
        answer="nova_security_group",
        creates=True,
        until=_PROXY,
    ),
    single("GET", "/os-security-groups/{security_group}", handler="route", until=_PROXY),
    broadcast("PUT DELETE", "/os-security-groups/{security_group}", handler="route", until=_PROXY),
    broadcast(
        "POST",
        "/os-security-group-rules",
        handler="route",
        owner=Ref("security_group", "security_group_rule.parent_group_id"),
        same_pod=(Ref("security_group", "security_group_rule.group_id"),),
        answer="nova_security_group_rule",
        creates=True,
        until=_PROXY,
    ),
    broadcast(
        "DELETE",
        "/os-security-group-rules/{security_group_rule}",
        handler="route",
        until=_PROXY,
    ),
)

_VOLUMES = (
    _proxied_list("/os-volumes", "nova_volume"),
    _proxied_list("/os-volumes/detail", "nova_volume"),
    _proxied_list("/os-snapshots", "nova_snapshot"),
    _proxied_list("/os-snapshots/detail", "nova_snapshot"),
    schedule(
        "POST",
        "/os-volumes",
        answer="nova_volume",
        zone="volume.availability_zone",
        pins=(Ref("snapshot", "volume.snapshot_id"),),
        until=_PROXY,
    ),
    route(
        "POST",
        "/os-snapshots",
        owner=Ref("volume", "snapshot.volume_id"),
        answer="nova_snapshot",
        creates=True,
        until=_PROXY,
    ),
    _proxied("GET DELETE", "/os-volumes/{volume}", "nova_volume"),
    _proxied("GET DELETE", "/os-snapshots/{snapshot}", "nova_snapshot"),
)

_BAREMETAL = (
    _proxied_list("/os-baremetal-nodes", "baremetal_node"),
    # Few clouds have bare metal behind Nova, and the others fail rather than say 404.
    route(
        "GET",
        "/os-baremetal-nodes/{baremetal_node}",
        handler="seek",
        answer="baremetal_node",
        until=_PROXY,
    ),
    # Every pod answers 400: use Ironic.
    static("POST", "/os-baremetal-nodes", handler="single", until=_PROXY),
    static("DELETE", "/os-baremetal-nodes/{node}", handler="single", until=_PROXY),
    static("POST", "/os-baremetal-nodes/{node}/action", handler="single", until=_PROXY),
)

OPERATIONS: tuple[Operation, ...] = (
    *_REMOVED,
    *_IMAGES,
    *_NETWORKS,
    *_SECURITY_GROUPS,
    *_VOLUMES,
    *_BAREMETAL,
)
