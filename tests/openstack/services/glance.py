"""Glance of a pod, with a store of files."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import Settings


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the command that builds the database of the template."""
    file = etc / "glance-api.conf"
    database = options.database(settings, "tmpl_glance")
    options.write(settings, file, {"DEFAULT": options.common(settings), "database": database})
    return {
        "glance": [str(settings.bin / "glance-manage"), f"--config-file={file}", "db_sync"],
    }


def configure(pod: Pod) -> None:
    """Write glance-api.conf and its paste file."""
    settings, etc, data = pod.settings, pod.etc / "glance", pod.data / "glance"
    for folder in ("images", "staging", "tasks"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    paste = etc / "glance-api-paste.ini"
    etc.mkdir(parents=True, exist_ok=True)
    shutil.copy(settings.venv / "etc/glance/glance-api-paste.ini", paste)
    sections: dict[str, options.Section] = {
        "DEFAULT": {
            **options.common(settings, pod.key),
            "enabled_backends": "file:file",
            "worker_self_reference_url": pod.url("glance"),
        },
        "database": options.database(settings, f"{pod.key}_glance"),
        "keystone_authtoken": options.authtoken(pod, "glance"),
        "paste_deploy": {"flavor": "keystone", "config_file": paste},
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": data / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": data / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": data / "tasks"},
        "oslo_concurrency": options.locks(pod),
    }
    options.write(settings, etc / "glance-api.conf", sections)


def start(pod: Pod, processes: Processes) -> None:
    """Start the API."""
    folder = {"OS_GLANCE_CONFIG_DIR": str(pod.etc / "glance")}
    processes.serve(f"{pod.key}-glance-api", "glance.wsgi.api", pod.port("glance"), folder)
