"""Nova: microversions 2.1 to 2.104, as of release 34.

The rows stand in `nova_servers.py` (servers), `nova_projects.py` (what else projects use),
`nova_admin.py` (what operators use) and `nova_legacy.py` (what ended).
"""

from http import HTTPStatus
from types import MappingProxyType

from control_plane.model.microversion import Microversion
from control_plane.services import nova_admin, nova_legacy, nova_projects, nova_servers
from control_plane.services.definition import FLAVOR, KEYPAIR
from control_plane.services.listing import Listing, Narrow, Paged, Says
from control_plane.services.nova_lists import (
    FLAVORS,
    KEYPAIRS,
    SERVER_GROUPS,
    SERVERS,
    SERVICES,
)
from control_plane.services.operation import Ref, Resource, SortKey, Spread, Survey
from control_plane.services.server_actions import SERVER_ACTIONS
from control_plane.services.service import (
    FaultForm,
    LinkForm,
    MicroversionHeaders,
    Paging,
    Service,
)

_NAME = (SortKey("name"),)
_UNPAGED = Listing(paged=Paged.NONE)
_BY_OFFSET = Listing(paged=Paged.OFFSET)

#: A list without pages, one pod after the other.
_WHOLE = Listing(concatenated=True, paged=Paged.NONE)

_RESOURCES = (
    Resource(
        "server",
        "servers",
        probe="/servers/{id}",
        zones=("OS-EXT-AZ:availability_zone", "pinned_availability_zone"),
        hosts=("OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname"),
        obscured=("hostId",),
        order=(SortKey("created", descending=True), SortKey("id")),
        shadows=(Ref("server_group", "server_groups"),),
        holds=(Ref("volume", "os-extended-volumes:volumes_attached[].id"),),
        free_texts=("metadata", "extra_specs"),
        free=(("properties", "2.98"), ("scheduler_hints", "2.100")),
        lists=SERVERS,
    ),
    Resource(
        "flavor",
        "flavors",
        probe="/flavors/{id}",
        replicated=True,
        definition=FLAVOR,
        lists=FLAVORS,
    ),
    Resource(
        "keypair",
        "keypairs",
        probe="/os-keypairs/{id}",
        identity="name",
        order=_NAME,
        replicated=True,
        merge_by="name",
        item_key="keypair",
        definition=KEYPAIR,
        lists=KEYPAIRS,
    ),
    Resource("zone", "availabilityZoneInfo", identity="zoneName", links=None),
    Resource(
        "server_group",
        "server_groups",
        probe="/os-server-groups/{id}",
        links=None,
        lists=SERVER_GROUPS,
        spread=Spread(
            version="2.64",
            fields=("name", "policy", "policies", "rules"),
            rules=("policy", "policies"),
            together=frozenset({"affinity"}),
            near=frozenset({"soft-affinity"}),
        ),
    ),
    Resource(
        "volume_attachment",
        "volumeAttachments",
        singular="volumeAttachment",
        identity="volumeId",
        links=None,
        holds=(Ref("volume", "volumeId"),),
    ),
    Resource(
        "interface",
        "interfaceAttachments",
        singular="interfaceAttachment",
        identity="port_id",
        links=None,
    ),
    Resource(
        "instance_action",
        "instanceActions",
        singular="instanceAction",
        links="links",
        hosts=("events[].host",),
        obscured=("events[].hostId",),
    ),
    Resource(
        "aggregate",
        "aggregates",
        links=None,
        own_zones=("availability_zone", "metadata.availability_zone"),
        hosts=("hosts",),
        numbers=("id",),
        lists=_WHOLE,
    ),
    Resource(
        "host",
        "hosts",
        identity="host_name",
        merge_by="host_name",
        zones=("zone",),
        order=(SortKey("host_name"),),
        links=None,
        hosts=("host_name",),
        survey=Survey("/os-services?host={id}", "services", "host"),
        lists=_WHOLE,
    ),
    # The answers of one host: what is in it, and what was done with it.
    Resource("host_resource", "host", identity="resource", hosts=("resource.host",)),
    Resource("host_state", "host_states", identity="host", hosts=("host",)),
    Resource(
        "hypervisor",
        "hypervisors",
        probe="/os-hypervisors/{id}",
        hosts=("hypervisor_hostname", "service.host"),
        numbers=("id", "service.id"),
        # By a number that each cell, and each pod, counts for itself.
        lists=Listing(
            concatenated=True,
            paged_since="2.33",
            narrows=(Narrow("hypervisor_hostname_pattern", Says.HOST),),
            whole_with="hypervisor_hostname_pattern",
        ),
    ),
    # By a pattern in the path, which has no pages.
    Resource(
        "hypervisor_match",
        "hypervisors",
        hosts=("hypervisor_hostname", "service.host"),
        numbers=("id", "service.id"),
        links=None,
        lists=_WHOLE,
    ),
    Resource(
        "nova_service",
        "services",
        singular="service",
        zones=("zone",),
        links=None,
        hosts=("host",),
        numbers=("id",),
        survey=Survey("/os-services", "services", "id"),
        lists=SERVICES,
    ),
    Resource(
        "migration",
        "migrations",
        order=(SortKey("created_at", descending=True), SortKey("id", descending=True)),
        hosts=("source_compute", "dest_compute", "source_node", "dest_node"),
        numbers=("id",),
        lists=Listing(
            paged_since="2.59",
            ascending_before="2.59",
            marker="uuid",
            narrows=(Narrow("host", Says.HOST), Narrow("source_compute", Says.HOST)),
        ),
    ),
    Resource(
        "tenant_usage",
        "tenant_usages",
        identity="tenant_id",
        lists=Listing(paged_since="2.40"),
    ),
    Resource(
        "baremetal_node",
        "nodes",
        probe="/os-baremetal-nodes/{id}",
        singular="node",
        links=None,
        lists=_UNPAGED,
    ),
    Resource(
        "nova_floating_ip_pool",
        "floating_ip_pools",
        identity="name",
        order=_NAME,
        replicated=True,
        merge_by="name",
        links=None,
        lists=_UNPAGED,
    ),
)

_CREATED = (SortKey("createdAt", descending=True), SortKey("id", descending=True))

#: What other services have, as Nova shows it: recorded and asked for under their names.
_PROXIED = MappingProxyType(
    {
        "nova_image": Resource(
            "image",
            "images",
            order=(SortKey("created", descending=True), SortKey("id", descending=True)),
            replicated=True,
        ),
        "nova_floating_ip": Resource(
            "floatingip", "floating_ips", singular="floating_ip", links=None, lists=_UNPAGED
        ),
        "nova_network": Resource("network", "networks", links=None, lists=_UNPAGED),
        "nova_security_group": Resource(
            "security_group",
            "security_groups",
            order=(SortKey("tenant_id"), SortKey("name")),
            links=None,
            lists=_BY_OFFSET,
        ),
        "nova_security_group_rule": Resource("security_group_rule", "security_group_rules"),
        "nova_volume": Resource(
            "volume",
            "volumes",
            zones=("availabilityZone",),
            order=_CREATED,
            links=None,
            lists=_BY_OFFSET,
        ),
        "nova_snapshot": Resource(
            "snapshot", "snapshots", order=_CREATED, links=None, lists=_BY_OFFSET
        ),
    }
)

COMPUTE = Service(
    name="compute",
    catalog_types=("compute",),
    prefix="/compute",
    versions=("v2.1", "v2"),
    # Without a version Nova answers 300; bookmark links of its answers are such paths.
    bare=(
        "/v2.1",
        "/v2",
        "/servers",
        "/flavors",
        "/images",
        "/os-keypairs",
        "/os-server-groups",
        "/os-aggregates",
        "/os-hypervisors",
        "/os-volumes_boot",
    ),
    fault=FaultForm.NAMED,
    paging=Paging(1000, 1000, LinkForm.LINKS, HTTPStatus.BAD_REQUEST, last_counts=True),
    resources=MappingProxyType(
        {**{resource.name: resource for resource in _RESOURCES}, **_PROXIED}
    ),
    operations=(
        *nova_projects.OPERATIONS,
        *nova_servers.OPERATIONS,
        *nova_admin.OPERATIONS,
        *nova_legacy.OPERATIONS,
    ),
    microversions=MicroversionHeaders(
        "compute", Microversion(2, 1), legacy="x-openstack-nova-api-version"
    ),
    project_segment=True,
    fault_type="application/json; charset=UTF-8",
    router_pages=True,
    malformed="Malformed request body",
    media=frozenset({"", "text/plain"}),
    formats=False,
    request_id_headers=("x-openstack-request-id", "x-compute-request-id"),
    actions=MappingProxyType({"server": SERVER_ACTIONS}),
)
