"""How Cinder's lists are sorted, narrowed and paged, as of release 29.

A sort key is a column of its database, or `name`; the filters are those of its default
`resource_filters.json`.
"""

from control_plane.services.listing import Listing, Narrow, Paged, Says, Sort

_NAMED = (Sort("display_name", "name"), Sort("display_description", "description"))
_ZONE = Narrow("availability_zone", Says.ZONE)
_VOLUME = Narrow("volume_id", Says.ID)
_TYPE = Narrow("volume_type_id", Says.COPY, resource="volume_type")

VOLUMES = Listing(
    sorts=(
        *_NAMED,
        Sort("project_id", "os-vol-tenant-attr:tenant_id"),
        Sort("host", "os-vol-host-attr:host"),
    ),
    narrows=(
        _ZONE,
        Narrow("group_id", Says.ID),
        Narrow("host", Says.HOST, admin=True),
        _TYPE,
    ),
)

SNAPSHOTS = Listing(
    sorts=(*_NAMED, Sort("project_id", "os-extended-snapshot-attributes:project_id")),
    narrows=(_VOLUME, _TYPE),
)

BACKUPS = Listing(
    sorts=_NAMED,
    narrows=(_VOLUME, Narrow("snapshot_id", Says.ID), Narrow("host", Says.HOST, admin=True)),
)

#: What would tell the order, the time of creation, is not shown.
ATTACHMENTS = Listing(
    concatenated=True,
    narrows=(_VOLUME, Narrow("instance_id", Says.ID)),
)

#: Paged by markers, and newest first, from 3.59 on; before, Cinder takes `limit` for a filter, and
#: no transfer has it.
TRANSFERS = Listing(
    sorts=_NAMED,
    narrows=(_VOLUME,),
    paged_since="3.59",
    ascending_before="3.59",
)
#: Under the old name never paged, and oldest first.
OLD_TRANSFERS = Listing(sorts=_NAMED, narrows=(_VOLUME,), paged=Paged.NONE)

#: Types, and group types.
TYPES = Listing(lenient=True)
GROUPS = Listing(
    narrows=(_ZONE, Narrow("group_type_id", Says.COPY, resource="group_type")),
)
GROUP_SNAPSHOTS = Listing(narrows=(Narrow("group_id", Says.ID),), paged_since="3.29")
CGSNAPSHOTS = Listing(paged=Paged.OFFSET)
MESSAGES = Listing(narrows=(Narrow("resource_uuid", Says.ID),), paged_since="3.5")
