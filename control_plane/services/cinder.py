"""Cinder: microversions 3.0 to 3.71, as of release 29.

The rows stand in `cinder_volumes.py` (what holds data), `cinder_types.py` (types, specs, quotas)
and `cinder_admin.py` (what operators use).
"""

from http import HTTPStatus
from types import MappingProxyType

from control_plane.model.microversion import Microversion
from control_plane.services import cinder_admin, cinder_types, cinder_volumes
from control_plane.services import cinder_lists as lists
from control_plane.services.definition import GROUP_TYPE, QOS_SPEC, VOLUME_TYPE
from control_plane.services.listing import Listing, Narrow, Paged, Says
from control_plane.services.operation import Ref, Resource, SortKey, Survey
from control_plane.services.service import (
    FaultForm,
    LinkForm,
    MicroversionHeaders,
    Paging,
    Service,
)
from control_plane.services.volume_actions import (
    BACKUP_ACTIONS,
    GROUP_ACTIONS,
    SNAPSHOT_ACTIONS,
    VOLUME_ACTIONS,
)

_ZONE = ("availability_zone",)
_NEWEST = (SortKey("created_at", descending=True), SortKey("id", descending=True))
_NAME = (SortKey("name"),)

#: A list without pages, one pod after the other.
_WHOLE = Listing(concatenated=True, paged=Paged.NONE)

_RESOURCES = (
    Resource("zone", "availabilityZoneInfo", identity="zoneName", links=None),
    Resource(
        "volume",
        "volumes",
        probe="/volumes/{id}",
        zones=_ZONE,
        order=_NEWEST,
        hosts=("os-vol-host-attr:host", "attachments[].host_name"),
        ids=(Ref("volume_type", "volume_type_id"),),
        ids_since="3.63",
        free_texts=("metadata", "volume_image_metadata"),
        lists=lists.VOLUMES,
    ),
    Resource(
        "snapshot",
        "snapshots",
        probe="/snapshots/{id}",
        order=_NEWEST,
        free_texts=("metadata",),
        lists=lists.SNAPSHOTS,
    ),
    Resource(
        "backup",
        "backups",
        probe="/backups/{id}",
        zones=_ZONE,
        order=_NEWEST,
        free_texts=("metadata",),
        lists=lists.BACKUPS,
    ),
    Resource(
        "attachment",
        "attachments",
        probe="/attachments/{id}",
        links=None,
        lists=lists.ATTACHMENTS,
    ),
    Resource(
        "transfer",
        "transfers",
        probe="/os-volume-transfer/{id}",
        order=_NEWEST,
        lists=lists.TRANSFERS,
    ),
    Resource(
        "old_transfer",
        "transfers",
        singular="transfer",
        order=(SortKey("created_at"), SortKey("id")),
        lists=lists.OLD_TRANSFERS,
    ),
    Resource(
        "group",
        "groups",
        probe="/groups/{id}",
        zones=_ZONE,
        order=_NEWEST,
        links="group_links",
        ids=(Ref("group_type", "group_type"), Ref("volume_type", "volume_types")),
        lists=lists.GROUPS,
    ),
    Resource(
        "group_snapshot",
        "group_snapshots",
        probe="/group_snapshots/{id}",
        order=_NEWEST,
        links="group_snapshot_links",
        ids=(Ref("group_type", "group_type_id"),),
        lists=lists.GROUP_SNAPSHOTS,
    ),
    Resource(
        "consistencygroup",
        "consistencygroups",
        probe="/consistencygroups/{id}",
        zones=_ZONE,
        order=_NEWEST,
        links="consistencygroup_links",
        ids=(Ref("volume_type", "volume_types"),),
    ),
    Resource(
        "cgsnapshot",
        "cgsnapshots",
        probe="/cgsnapshots/{id}",
        order=_NEWEST,
        links="cgsnapshot_links",
        lists=lists.CGSNAPSHOTS,
    ),
    Resource("message", "messages", probe="/messages/{id}", order=_NEWEST, lists=lists.MESSAGES),
    Resource(
        "volume_type",
        "volume_types",
        probe="/types/{id}",
        order=_NAME,
        replicated=True,
        merge_by="name",
        links="volume_type_links",
        ids=(Ref("volume_type", "id"), Ref("qos_spec", "qos_specs_id")),
        definition=VOLUME_TYPE,
        lists=lists.TYPES,
    ),
    Resource(
        "qos_spec",
        "qos_specs",
        probe="/qos-specs/{id}",
        singular="qos_specs",
        order=_NAME,
        replicated=True,
        merge_by="name",
        ids=(Ref("qos_spec", "id"),),
        definition=QOS_SPEC,
    ),
    Resource(
        "group_type",
        "group_types",
        probe="/group_types/{id}",
        order=_NAME,
        replicated=True,
        merge_by="name",
        links="group_type_links",
        ids=(Ref("group_type", "id"),),
        definition=GROUP_TYPE,
        lists=lists.TYPES,
    ),
    # What follows names types and is asked for by their ids.
    Resource(
        "volume_type_access",
        "volume_type_access",
        identity="project_id",
        ids=(Ref("volume_type", "volume_type_id"),),
    ),
    Resource(
        "encryption",
        "encryption",
        identity="volume_type_id",
        ids=(Ref("volume_type", "volume_type_id"),),
        parts=(Ref("volume_type", "encryption_id"),),
    ),
    Resource(
        "default_type",
        "default_types",
        identity="project_id",
        ids=(Ref("volume_type", "volume_type_id"),),
    ),
    Resource("qos_association", "qos_associations", ids=(Ref("volume_type", "id"),)),
    Resource("zone", "availabilityZoneInfo", identity="zoneName", links=None),
    Resource(
        "pool",
        "pools",
        identity="name",
        order=_NAME,
        merge_by="name",
        links=None,
        hosts=("name",),
        lists=_WHOLE,
    ),
    Resource(
        "volume_service",
        "services",
        singular="service",
        identity="host",
        merge_by="host",
        zones=("zone",),
        order=(SortKey("host"), SortKey("binary")),
        links=None,
        hosts=("host", "cluster"),
        lists=Listing(concatenated=True, paged=Paged.NONE, narrows=(Narrow("host", Says.HOST),)),
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
        "cluster",
        "clusters",
        identity="name",
        merge_by="name",
        order=_NAME,
        links=None,
        hosts=("name",),
        survey=Survey("/clusters?name={id}", "clusters", "name"),
        lists=Listing(concatenated=True, paged=Paged.NONE, narrows=(Narrow("name", Says.HOST),)),
    ),
    Resource("log_level", "log_levels", identity="binary", hosts=("host",)),
    Resource("worker", "workers", hosts=("host", "cluster_name"), numbers=("id",)),
    Resource("resource_filter", "resource_filters", identity="resource", links=None),
    Resource("manageable_volume", "manageable-volumes", identity="reference"),
    Resource("manageable_snapshot", "manageable-snapshots", identity="reference"),
)

#: A restore without a volume makes one; its answer names the volume in a wrapper of its own.
_RESTORE = Resource("volume", "restores", singular="restore", identity="volume_id")

VOLUME = Service(
    name="volume",
    catalog_types=("block-storage", "volumev3", "volume"),
    prefix="/volume",
    versions=("v3",),
    # Bookmark links have no version and may have a project first.
    bare=("/v3", "/volumes", "/snapshots", "/backups"),
    fault=FaultForm.NAMED,
    paging=Paging(1000, 1000, LinkForm.LINKS, HTTPStatus.NOT_FOUND, follows=True),
    resources=MappingProxyType(
        {**{resource.name: resource for resource in _RESOURCES}, "restore": _RESTORE}
    ),
    operations=(
        *cinder_volumes.OPERATIONS,
        *cinder_types.OPERATIONS,
        *cinder_admin.OPERATIONS,
    ),
    microversions=MicroversionHeaders(
        "volume", Microversion(3, 0), foreign_is_error=True, above=True
    ),
    project_segment=True,
    router_pages=True,
    malformed="Malformed request body",
    media=frozenset(),
    request_id_headers=("x-openstack-request-id", "x-compute-request-id"),
    actions=MappingProxyType(
        {
            "volume": VOLUME_ACTIONS,
            "snapshot": SNAPSHOT_ACTIONS,
            "backup": BACKUP_ACTIONS,
            "group": GROUP_ACTIONS,
        }
    ),
)
