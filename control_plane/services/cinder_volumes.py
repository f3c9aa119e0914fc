"""Cinder's rows for what holds data: volumes, snapshots, backups, groups, and their movements."""

from control_plane.services.operation import (
    Operation,
    Ref,
    aggregate,
    computed,
    cross,
    route,
    schedule,
    static,
)

_HINTS = "OS-SCH-HNT:scheduler_hints"
_BRIEF = ("id", "name", "links")
_HOME = ("sort", "sort_key", "sort_dir", "name", "status")

_VOLUMES = (
    aggregate("GET", "/volumes", "volume", source="/volumes/detail", fields=_BRIEF, home=_HOME),
    aggregate("GET", "/volumes/detail", "volume", home=_HOME),
    computed("GET", "/volumes/summary", since="3.12", handler="summary"),
    schedule(
        "POST",
        "/volumes",
        answer="volume",
        zone="volume.availability_zone",
        pins=(
            Ref("snapshot", "volume.snapshot_id"),
            Ref("volume", "volume.source_volid"),
            Ref("backup", "volume.backup_id"),
            Ref("group", "volume.group_id"),
            Ref("consistencygroup", "volume.consistencygroup_id"),
            Ref("volume", f"{_HINTS}.same_host"),
            Ref("server", f"{_HINTS}.local_to_instance"),
        ),
        copies=(
            Ref("image", "volume.imageRef|image_id"),
            Ref("volume_type", "volume.volume_type"),
        ),
        apart=(Ref("volume", f"{_HINTS}.different_host"),),
    ),
    route("GET PUT DELETE", "/volumes/{volume}", answer="volume"),
    route("POST", "/volumes/{volume}/action", handler="action"),
    route("GET POST PUT", "/volumes/{volume}/metadata"),
    route("GET PUT DELETE", "/volumes/{volume}/metadata/{key}"),
    route("GET", "/volumes/{volume}/encryption"),
    route("GET", "/volumes/{volume}/encryption/{key}"),
)

# The brief form of a snapshot, unlike the others', shows when it was created.
_SNAPSHOTS = (
    aggregate("GET", "/snapshots", "snapshot", home=_HOME),
    aggregate("GET", "/snapshots/detail", "snapshot", home=_HOME),
    route(
        "POST",
        "/snapshots",
        owner=Ref("volume", "snapshot.volume_id"),
        answer="snapshot",
        creates=True,
    ),
    route("GET PUT DELETE", "/snapshots/{snapshot}", answer="snapshot"),
    route("POST", "/snapshots/{snapshot}/action", handler="action"),
    route("GET POST PUT", "/snapshots/{snapshot}/metadata"),
    route("GET PUT DELETE", "/snapshots/{snapshot}/metadata/{key}"),
)

_BACKUPS = (
    aggregate("GET", "/backups", "backup", source="/backups/detail", fields=_BRIEF, home=_HOME),
    aggregate("GET", "/backups/detail", "backup", home=_HOME),
    route(
        "POST",
        "/backups",
        owner=Ref("volume", "backup.volume_id"),
        same_pod=(Ref("snapshot", "backup.snapshot_id"),),
        zone="backup.availability_zone",
        answer="backup",
        creates=True,
    ),
    route("GET DELETE", "/backups/{backup}", answer="backup"),
    route("PUT", "/backups/{backup}", since="3.9", answer="backup"),
    cross(
        "POST",
        "/backups/{backup}/restore",
        same_pod=(Ref("volume", "restore.volume_id"),),
        answer="restore",
        creates=True,
    ),
    route("POST", "/backups/{backup}/action", handler="action"),
    route("GET", "/backups/{backup}/export_record"),
    # The record holds the backup's old id, which the import keeps: where it was, it comes back.
    schedule(
        "POST",
        "/backups/import_record",
        answer="backup",
        pins=(Ref("backup", "backup-record.backup_url[base64].id"),),
    ),
)

_ATTACHMENTS = (
    aggregate("GET", "/attachments", "attachment", since="3.27"),
    aggregate("GET", "/attachments/detail", "attachment", since="3.27"),
    cross(
        "POST",
        "/attachments",
        since="3.27",
        owner=Ref("volume", "attachment.volume_uuid"),
        same_pod=(Ref("server", "attachment.instance_uuid"),),
        answer="attachment",
        creates=True,
    ),
    route("GET PUT DELETE", "/attachments/{attachment}", since="3.27", answer="attachment"),
    route("POST", "/attachments/{attachment}/action", since="3.44"),
)


def _transfers(root: str, listed: str) -> tuple[Operation, ...]:
    """Make the rows of one of the two spellings of the transfers' API; its lists differ."""
    brief = ("id", "volume_id", "name", "links")
    return (
        aggregate("GET", root, listed, source=f"{root}/detail", fields=brief),
        aggregate("GET", f"{root}/detail", listed),
        route(
            "POST",
            root,
            owner=Ref("volume", "transfer.volume_id"),
            answer="transfer",
            creates=True,
        ),
        route("GET DELETE", f"{root}/{{transfer}}", answer="transfer"),
        # Called by another project than the one that made the transfer.
        route(
            "POST",
            f"{root}/{{transfer}}/accept",
            answer="transfer",
            takes=Ref("volume", "transfer.volume_id"),
            ends=True,
        ),
    )


def _members(wrapper: str) -> tuple[Ref, ...]:
    """Name the volumes that come to a group or leave it."""
    return tuple(Ref("volume", f"{wrapper}.{verb}_volumes[,]") for verb in ("add", "remove"))


_GROUPS = (
    aggregate(
        "GET", "/groups", "group", since="3.13", source="/groups/detail", fields=("id", "name")
    ),
    aggregate("GET", "/groups/detail", "group", since="3.13"),
    schedule(
        "POST",
        "/groups",
        since="3.13",
        answer="group",
        zone="group.availability_zone",
        copies=(Ref("group_type", "group.group_type"), Ref("volume_type", "group.volume_types")),
    ),
    route("GET DELETE", "/groups/{group}", since="3.13", answer="group"),
    cross("PUT", "/groups/{group}", since="3.13", same_pod=_members("group")),
    route("POST", "/groups/{group}/action", since="3.13", handler="action"),
    # Routed by one of two kinds of id, which only pins can say.
    route(
        "POST",
        "/groups/action",
        since="3.14",
        handler="schedule",
        pins=(
            Ref("group_snapshot", "create-from-src.group_snapshot_id"),
            Ref("group", "create-from-src.source_group_id"),
        ),
        answer="group",
        creates=True,
    ),
    aggregate(
        "GET",
        "/group_snapshots",
        "group_snapshot",
        since="3.14",
        source="/group_snapshots/detail",
        fields=("id", "name"),
    ),
    aggregate("GET", "/group_snapshots/detail", "group_snapshot", since="3.14"),
    route(
        "POST",
        "/group_snapshots",
        since="3.14",
        owner=Ref("group", "group_snapshot.group_id"),
        answer="group_snapshot",
        creates=True,
    ),
    route("GET DELETE", "/group_snapshots/{group_snapshot}", since="3.14", answer="group_snapshot"),
    route("POST", "/group_snapshots/{group_snapshot}/action", since="3.19"),
)

_CONSISTENCY_GROUPS = (
    aggregate(
        "GET",
        "/consistencygroups",
        "consistencygroup",
        source="/consistencygroups/detail",
        fields=("id", "name"),
    ),
    aggregate("GET", "/consistencygroups/detail", "consistencygroup"),
    schedule(
        "POST",
        "/consistencygroups",
        answer="consistencygroup",
        zone="consistencygroup.availability_zone",
        copies=(Ref("volume_type", "consistencygroup.volume_types[,]"),),
    ),
    route("GET DELETE", "/consistencygroups/{consistencygroup}", answer="consistencygroup"),
    cross("PUT", "/consistencygroups/{consistencygroup}", same_pod=_members("consistencygroup")),
    cross(
        "PUT",
        "/consistencygroups/{consistencygroup}/update",
        same_pod=_members("consistencygroup"),
    ),
    route("POST", "/consistencygroups/{consistencygroup}/delete", ends=True),
    route(
        "POST",
        "/consistencygroups/create_from_src",
        handler="schedule",
        pins=(
            Ref("cgsnapshot", "consistencygroup-from-src.cgsnapshot_id"),
            Ref("consistencygroup", "consistencygroup-from-src.source_cgid"),
        ),
        answer="consistencygroup",
        creates=True,
    ),
    aggregate(
        "GET",
        "/cgsnapshots",
        "cgsnapshot",
        source="/cgsnapshots/detail",
        fields=("id", "name"),
    ),
    aggregate("GET", "/cgsnapshots/detail", "cgsnapshot"),
    route(
        "POST",
        "/cgsnapshots",
        owner=Ref("consistencygroup", "cgsnapshot.consistencygroup_id"),
        answer="cgsnapshot",
        creates=True,
    ),
    route("GET DELETE", "/cgsnapshots/{cgsnapshot}", answer="cgsnapshot"),
)

OPERATIONS: tuple[Operation, ...] = (
    static("GET", "/", handler="versions"),
    static("GET", "/extensions", handler="single"),
    static("GET", "/extensions/{alias}", handler="single"),
    *_VOLUMES,
    *_SNAPSHOTS,
    *_BACKUPS,
    *_ATTACHMENTS,
    *_transfers("/volume-transfers", "transfer"),
    *_transfers("/os-volume-transfer", "old_transfer"),
    *_GROUPS,
    *_CONSISTENCY_GROUPS,
    aggregate("GET", "/messages", "message", since="3.3"),
    route("GET DELETE", "/messages/{message}", since="3.3", answer="message"),
)
