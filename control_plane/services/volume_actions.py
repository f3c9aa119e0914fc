"""The actions of a volume, `POST /volumes/{volume}/action`, as of Cinder 29, and of its kin.

Host and cluster names (of `os-migrate_volume`, `os-retype`) mean something only inside the
volume's pod.
"""

from collections.abc import Mapping
from types import MappingProxyType

from control_plane.services.action import Action
from control_plane.services.operation import Kind, Ref

_PLAIN = Action()
_END = Action(ends=True)

VOLUME_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "os-extend": _PLAIN,
        "os-update_readonly_flag": _PLAIN,
        "os-set_bootable": _PLAIN,
        "os-reset_status": _PLAIN,
        "os-set_image_metadata": _PLAIN,
        "os-unset_image_metadata": _PLAIN,
        "os-show_image_metadata": _PLAIN,
        "os-detach": _PLAIN,
        "os-reserve": _PLAIN,
        "os-unreserve": _PLAIN,
        "os-begin_detaching": _PLAIN,
        "os-roll_detaching": _PLAIN,
        "os-force_detach": _PLAIN,
        "os-extend_volume_completion": Action(since="3.71"),
        "os-initialize_connection": _PLAIN,
        "os-terminate_connection": _PLAIN,
        "os-force_delete": _END,
        "os-unmanage": _END,
        "os-attach": Action(Kind.CROSS, same_pod=(Ref("server", "os-attach.instance_uuid"),)),
        "revert": Action(since="3.40", same_pod=(Ref("snapshot", "revert.snapshot_id"),)),
        "os-retype": Action(copies=(Ref("volume_type", "os-retype.new_type"),)),
        "os-migrate_volume": Action(
            Kind.CROSS, hosts=("os-migrate_volume.host", "os-migrate_volume.cluster")
        ),
        "os-migrate_volume_completion": Action(
            Kind.CROSS, same_pod=(Ref("volume", "os-migrate_volume_completion.new_volume"),)
        ),
        "os-volume_upload_image": Action(creates="image", made="os-volume_upload_image.image_id"),
        "os-reimage": Action(since="3.68", copies=(Ref("image", "os-reimage.image_id"),)),
    }
)

#: The actions below end what they name; all others of these resources have nothing to translate.
SNAPSHOT_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"os-force_delete": _END, "os-unmanage": _END}
)
BACKUP_ACTIONS: Mapping[str, Action] = MappingProxyType({"os-force_delete": _END})
GROUP_ACTIONS: Mapping[str, Action] = MappingProxyType({"delete": _END})
