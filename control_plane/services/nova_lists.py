"""How Nova's lists are sorted and narrowed, as of release 34.

The names of sort keys are those of columns of its database; `nova/api/openstack/compute/schemas`
says which are allowed, and which were allowed and ignored.
"""

from control_plane.services.listing import Listing, Lost, Narrow, Paged, Roll, Says, Sort

_ATTRIBUTE = "OS-EXT-SRV-ATTR:"

_SERVER_SORTS = (
    Sort("created_at", "created"),
    Sort("updated_at", "updated"),
    Sort("display_name", "name"),
    Sort("display_description", "description", gaps=True),
    Sort("uuid", "id"),
    Sort("project_id", "tenant_id"),
    Sort("image_ref", "image.id"),
    Sort("access_ip_v4", "accessIPv4", gaps=True),
    Sort("access_ip_v6", "accessIPv6", gaps=True),
    # True is shown as AUTO.
    Sort("auto_disk_config", "OS-DCF:diskConfig", flipped=True, gaps=True),
    Sort("availability_zone", "OS-EXT-AZ:availability_zone", gaps=True),
    Sort("config_drive", "config_drive", gaps=True),
    Sort("key_name", "key_name", gaps=True),
    Sort("progress", "progress", gaps=True),
    Sort("locked", "locked", since="2.73"),
    Sort("power_state", "OS-EXT-STS:power_state", gaps=True),
    Sort("task_state", "OS-EXT-STS:task_state", gaps=True),
    Sort("vm_state", "OS-EXT-STS:vm_state"),
    Sort("launched_at", "OS-SRV-USG:launched_at", gaps=True),
    Sort("terminated_at", "OS-SRV-USG:terminated_at", gaps=True),
    # These are shown to administrators.
    Sort("host", f"{_ATTRIBUTE}host", gaps=True),
    Sort("node", f"{_ATTRIBUTE}hypervisor_hostname", gaps=True),
    Sort("hostname", f"{_ATTRIBUTE}hostname", gaps=True),
    Sort("kernel_id", f"{_ATTRIBUTE}kernel_id", gaps=True),
    Sort("ramdisk_id", f"{_ATTRIBUTE}ramdisk_id", gaps=True),
    Sort("launch_index", f"{_ATTRIBUTE}launch_index", gaps=True),
    Sort("root_device_name", f"{_ATTRIBUTE}root_device_name", gaps=True),
    # These nobody is shown.
    Sort("instance_type_id"),
    Sort("locked_by"),
)

#: Keys that were once allowed; from 2.75 on they are refused.
_SERVER_IGNORED = frozenset(
    {
        "architecture",
        "cell_name",
        "cleaned",
        "default_ephemeral_device",
        "default_swap_device",
        "deleted",
        "deleted_at",
        "disable_terminate",
        "ephemeral_gb",
        "ephemeral_key_uuid",
        "id",
        "key_data",
        "launched_on",
        "memory_mb",
        "os_type",
        "reservation_id",
        "root_gb",
        "shutdown_terminate",
        "user_data",
        "vcpus",
        "vm_mode",
    }
)

SERVERS = Listing(
    sorts=_SERVER_SORTS,
    ignored=_SERVER_IGNORED,
    narrows=(
        Narrow("availability_zone", Says.ZONE_PATTERN, since="2.83"),
        Narrow("host", Says.HOST, admin=True),
        Narrow("node", Says.HOST, admin=True),
        Narrow("uuid", Says.ID, admin=True),
    ),
    # A server that is not in a cell yet.
    leading=("OS-EXT-STS:task_state", "scheduling"),
    steady=(("sort_key", "uuid"), ("sort_dir", "asc")),
    deleted=(("changes-since", "1970-01-01T00:00:00Z"),),
    lost=Lost(
        "2.69",
        frozenset({"all_tenants"}),
        project="tenant_id",
        created="created",
        fixed=(("OS-EXT-STS:power_state", 0),),
    ),
)

FLAVORS = Listing(
    sorts=(
        Sort("flavorid", "id"),
        Sort("memory_mb", "ram"),
        Sort("root_gb", "disk"),
        Sort("ephemeral_gb", "OS-FLV-EXT-DATA:ephemeral"),
        Sort("disabled", "OS-FLV-DISABLED:disabled"),
        Sort("is_public", "os-flavor-access:is_public"),
        # These nobody is shown; `id` is a number of the pod's.
        Sort("id"),
        Sort("created_at"),
        Sort("updated_at"),
        Sort("vcpu_weight"),
    ),
)

KEYPAIRS = Listing(paged_since="2.35")

#: Pods give groups by a number of their own.
SERVER_GROUPS = Listing(concatenated=True, paged=Paged.OFFSET)

#: Of a cell that is down Nova knows the hosts of its computes alone.
SERVICES = Listing(
    concatenated=True,
    paged=Paged.NONE,
    narrows=(Narrow("host", Says.HOST),),
    lost=Lost(
        "2.69",
        frozenset({"host", "binary"}),
        roll=Roll("/os-services?binary=nova-compute", ("binary", "host")),
    ),
)
