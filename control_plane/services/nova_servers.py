"""Nova's rows for servers and what lies below a server; its actions are in `server_actions.py`."""

from control_plane.services.operation import (
    Batch,
    Operation,
    Options,
    Ref,
    aggregate,
    cross,
    route,
    schedule,
)

_MIGRATION = "/servers/{server}/migrations/{migration}"
_HINTS = "os:scheduler_hints|OS-SCH-HNT:scheduler_hints"
_DEVICES = "server.block_device_mapping_v2"
_BRIEF = ("id", "name", "links")
#: Not in other orders than that of creation, in which a Nova loses servers that lack the value.
_HOME = ("name", "status")

#: What a server's create says. Host names (`server.host`, `AZ:HOST`) mean something only inside a
#: pod and pin nothing, unless an administrator puts the pod before them.
_CREATE: Options = {
    "answer": "server",
    "zone": "server.availability_zone",
    "pins": (
        Ref("volume", f"{_DEVICES}[source_type=volume].uuid"),
        Ref("snapshot", f"{_DEVICES}[source_type=snapshot].uuid"),
        Ref("volume", "server.block_device_mapping[].volume_id"),
        Ref("snapshot", "server.block_device_mapping[].snapshot_id"),
        Ref("port", "server.networks[].port"),
        Ref("network", "server.networks[].uuid"),
        Ref("server", f"{_HINTS}.same_host"),
    ),
    "joins": (Ref("server_group", f"{_HINTS}.group"),),
    "apart": (Ref("server", f"{_HINTS}.different_host"),),
    "brings": (Ref("keypair", "server.key_name"),),
    "hosts": ("server.host", "server.hypervisor_hostname"),
    "batch": Batch(
        ("server.max_count", "server.min_count"), shared="reservation_id", path="/servers/detail"
    ),
    "copies": (
        Ref("image", "server.imageRef"),
        Ref("image", f"{_DEVICES}[source_type=image].uuid"),
        Ref("flavor", "server.flavorRef"),
    ),
}

#: The same controllers under their old name.
_BOOT: Options = {"until": "2.102", "answer": "server"}
_BOOT_CREATE: Options = {**_CREATE, **_BOOT}

OPERATIONS: tuple[Operation, ...] = (
    aggregate("GET", "/servers", "server", source="/servers/detail", fields=_BRIEF, home=_HOME),
    aggregate("GET", "/servers/detail", "server", home=_HOME),
    schedule("POST", "/servers", **_CREATE),
    route("GET DELETE", "/servers/{server}", answer="server"),
    route("PUT", "/servers/{server}", answer="server", zone="server.pinned_availability_zone"),
    # A rebuild answers with the server.
    route("POST", "/servers/{server}/action", handler="action", answer="server"),
    route("GET", "/servers/{server}/diagnostics"),
    route("GET", "/servers/{server}/ips"),
    route("GET", "/servers/{server}/ips/{label}"),
    route("GET POST PUT", "/servers/{server}/metadata"),
    route("GET PUT DELETE", "/servers/{server}/metadata/{key}"),
    route("GET", "/servers/{server}/migrations", since="2.23", answer="migration"),
    # A migration has the number here that it has in the list of all migrations.
    route("GET", _MIGRATION, since="2.23", handler="local", answer="migration"),
    route("DELETE", _MIGRATION, since="2.24", handler="local"),
    route("POST", f"{_MIGRATION}/action", since="2.22", handler="local"),
    route("GET", "/servers/{server}/os-instance-actions", answer="instance_action"),
    route("GET", "/servers/{server}/os-instance-actions/{request}", answer="instance_action"),
    route("GET", "/servers/{server}/os-interface", answer="interface"),
    cross(
        "POST",
        "/servers/{server}/os-interface",
        answer="interface",
        same_pod=(
            Ref("port", "interfaceAttachment.port_id"),
            Ref("network", "interfaceAttachment.net_id"),
        ),
    ),
    route("GET DELETE", "/servers/{server}/os-interface/{port}", answer="interface"),
    route("GET DELETE", "/servers/{server}/os-server-password"),
    route("GET", "/servers/{server}/os-volume_attachments", answer="volume_attachment"),
    cross(
        "POST",
        "/servers/{server}/os-volume_attachments",
        answer="volume_attachment",
        same_pod=(Ref("volume", "volumeAttachment.volumeId"),),
    ),
    route(
        "GET DELETE",
        "/servers/{server}/os-volume_attachments/{volume}",
        answer="volume_attachment",
    ),
    cross(
        "PUT",
        "/servers/{server}/os-volume_attachments/{volume}",
        same_pod=(Ref("volume", "volumeAttachment.volumeId"),),
    ),
    route("POST", "/servers/{server}/remote-consoles", since="2.6"),
    route("GET", "/servers/{server}/os-security-groups"),
    route("GET", "/servers/{server}/shares", since="2.97"),
    # The share is one of the Manila of the server's pod, which alone can say whether it is there.
    cross("POST", "/servers/{server}/shares", since="2.97"),
    route("GET DELETE", "/servers/{server}/shares/{share}", since="2.97"),
    route("GET PUT DELETE", "/servers/{server}/tags", since="2.26"),
    route("GET PUT DELETE", "/servers/{server}/tags/{tag}", since="2.26"),
    route("GET", "/servers/{server}/topology", since="2.78"),
    aggregate(
        "GET",
        "/os-volumes_boot",
        "server",
        until="2.102",
        source="/os-volumes_boot/detail",
        fields=_BRIEF,
    ),
    aggregate("GET", "/os-volumes_boot/detail", "server", until="2.102"),
    schedule("POST", "/os-volumes_boot", **_BOOT_CREATE),
    route("GET PUT DELETE", "/os-volumes_boot/{server}", **_BOOT),
    route(
        "POST", "/os-volumes_boot/{server}/action", until="2.102", handler="action", answer="server"
    ),
)
