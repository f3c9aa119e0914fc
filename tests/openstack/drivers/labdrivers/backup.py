"""Cinder backups that keep a volume's metadata and none of its data.

The volume driver of the bed has no device to read from, so the manager attaches nothing: it hands
a folder to the driver in the place of a device, which cinder then does not open.
"""

import json
import pathlib

from cinder import exception, interface
from cinder.backup import driver, manager
from cinder.volume import volume_utils
from oslo_config import cfg


def _connector(*_arguments, **_options):
    # os_brick asks the machine for its initiators, by a helper process that runs as root.
    return {"host": cfg.CONF.host}


volume_utils.brick_get_connector_properties = _connector


class LabBackupManager(manager.BackupManager):
    def _attach_device(self, ctxt, backup_device, properties, is_snapshot=False):
        return {"device": {"path": "/"}}

    def _detach_device(self, *arguments, **options):
        pass


@interface.backupdriver
class NullBackupDriver(driver.BackupDriver):
    def __init__(self, context):
        super().__init__(context)
        self.support_force_delete = True

    @staticmethod
    def _file(backup):
        folder = pathlib.Path(cfg.CONF.state_path) / "backups"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / backup.id

    def backup(self, backup, volume_file, backup_metadata=True):
        volume = backup.volume_id
        metadata = json.loads(self.get_metadata(volume))
        if (metadata.get("volume-metadata") or {}).get("lab_fail") == "backup":
            raise exception.InvalidBackup(reason="lab_fail=backup asked for this failure")
        self._file(backup).write_text(json.dumps(metadata))
        return {"object_count": 1}

    def restore(self, backup, volume_id, volume_file, volume_is_new):
        file = self._file(backup)
        # A record imported from another pod brings no file.
        if file.exists():
            self.put_metadata(volume_id, file.read_text())

    def delete_backup(self, backup):
        self._file(backup).unlink(missing_ok=True)
