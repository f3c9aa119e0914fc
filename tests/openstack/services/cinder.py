"""Cinder of a pod: the API, scheduler, volumes and backups that keep no data."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import Settings

#: The back ends of the volume service; the volume types of the bed choose the first.
BACK_ENDS = ("lab", "lab-second")


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the command that builds the database of the template."""
    file = etc / "cinder.conf"
    sections: dict[str, options.Section] = {
        "DEFAULT": {**options.common(settings, "pod1"), "state_path": settings.run},
        "database": options.database(settings, "tmpl_cinder"),
    }
    options.write(settings, file, sections)
    manage = [str(settings.bin / "cinder-manage"), f"--config-file={file}"]
    return {"cinder": [*manage, "db", "sync"]}


def configure(pod: Pod, more: Mapping[str, options.Section] | None = None) -> None:
    """Write cinder.conf with `more` options, the paste file and the table of filters."""
    settings, etc, data = pod.settings, pod.etc / "cinder", pod.data / "cinder"
    data.mkdir(parents=True, exist_ok=True)
    etc.mkdir(parents=True, exist_ok=True)
    for name in ("api-paste.ini", "resource_filters.json"):
        shutil.copy(settings.venv / "etc/cinder" / name, etc / name)
    sections: dict[str, options.Section] = {
        "DEFAULT": {
            **options.common(settings, pod.key),
            "host": f"{pod.key}-vol",
            "my_ip": settings.address,
            "state_path": data,
            "api_paste_config": etc / "api-paste.ini",
            "resource_query_filters_file": etc / "resource_filters.json",
            "auth_strategy": "keystone",
            "enabled_backends": ",".join(BACK_ENDS),
            "default_volume_type": "lab",
            "storage_availability_zone": pod.inner_zones[0],
            "allow_availability_zone_fallback": "false",
            "glance_api_servers": pod.url("glance"),
            "enable_v3_api": "true",
            "report_interval": 20,
            "service_down_time": 90,
            # The scheduler knows no back end until the next report after its own start.
            "backend_stats_polling_interval": 15,
            "use_multipath_for_image_xfer": "false",
            "backup_driver": "cinder.backup.drivers.lab.NullBackupDriver",
            "backup_manager": "labdrivers.backup.LabBackupManager",
        },
        # Keys of encrypted volumes, of which there is one.
        "key_manager": {
            "backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager",
            "fixed_key": "0" * 64,
        },
        **{
            name: {
                "volume_driver": "labdrivers.volume.NullVolumeDriver",
                "volume_backend_name": name,
            }
            for name in BACK_ENDS
        },
        "database": options.database(settings, f"{pod.key}_cinder"),
        "keystone_authtoken": options.authtoken(pod, "cinder"),
        "service_user": options.account(settings, "cinder", send_service_user_token="true"),
        "nova": options.account(settings, "nova", region_name=pod.name),
        # Lets cinder ask glance for the locations of images as a service.
        "glance": options.account(settings, "glance", region_name=pod.name),
        "coordination": {"backend_url": f"file://{data}"},
        "oslo_concurrency": options.locks(pod),
        "oslo_messaging_rabbit": options.RABBIT,
    }
    options.write(settings, etc / "cinder.conf", options.merged(sections, more or {}))


def start(pod: Pod, processes: Processes) -> None:
    """Start all of it."""
    start_api(pod, processes)
    for name in ("cinder-scheduler", "cinder-volume", "cinder-backup"):
        command = [pod.settings.bin / name, _file(pod)]
        processes.start(f"{pod.key}-{name}", command, environment=_threads(pod))


def start_api(pod: Pod, processes: Processes) -> None:
    """Start the API alone."""
    name = f"{pod.key}-cinder-api"
    processes.serve(name, "cinder.wsgi.api", pod.port("cinder"), _threads(pod), _file(pod))


def _file(pod: Pod) -> str:
    return f"--config-file={pod.etc / 'cinder' / 'cinder.conf'}"


def _threads(pod: Pod) -> dict[str, str]:
    return {"OS_CINDER_DISABLE_EVENTLET_PATCHING": str(pod.settings.cinder_threading).lower()}
