"""Placement of a pod."""

from collections.abc import Sequence
from pathlib import Path

from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import Settings


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the command that builds the database of the template."""
    file = etc / "placement.conf"
    database = options.database(settings, "tmpl_placement")
    options.write(settings, file, {"placement_database": database})
    manage = [str(settings.bin / "placement-manage"), f"--config-file={file}"]
    return {"placement": [*manage, "db", "sync"]}


def configure(pod: Pod) -> None:
    """Write placement.conf."""
    settings = pod.settings
    sections: dict[str, options.Section] = {
        "DEFAULT": options.common(settings),
        "placement_database": options.database(settings, f"{pod.key}_placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": options.authtoken(pod, "placement"),
    }
    options.write(settings, pod.etc / "placement" / "placement.conf", sections)


def start(pod: Pod, processes: Processes) -> None:
    """Start the API."""
    folder = {"OS_PLACEMENT_CONFIG_DIR": str(pod.etc / "placement")}
    name = f"{pod.key}-placement"
    processes.serve(name, "placement.wsgi.api", pod.port("placement"), folder)
