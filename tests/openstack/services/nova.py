"""Nova of a pod: the API, conductor, scheduler and some nova-compute with a fake hypervisor."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.openstack.backing import mariadb
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import Settings

#: Nova's own, and those of hints that name servers.
FILTERS = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
    "DifferentHostFilter",
    "SameHostFilter",
)
_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the commands that build the databases of the template."""
    file = etc / "nova.conf"
    sections: dict[str, options.Section] = {
        "DEFAULT": {**options.common(settings, "pod1"), "state_path": settings.run},
        "api_database": options.database(settings, "tmpl_nova_api"),
        "database": options.database(settings, "tmpl_nova"),
    }
    options.write(settings, file, sections)
    manage = [str(settings.bin / "nova-manage"), f"--config-file={file}"]
    return {
        "nova": [*manage, "db", "sync", "--local_cell"],
        "nova_api": [*manage, "api_db", "sync"],
    }


def configure(pod: Pod, more: Mapping[str, options.Section] | None = None) -> None:
    """Write nova.conf, the paste file and one file a nova-compute; `more` options go into all."""
    settings, etc = pod.settings, pod.etc / "nova"
    etc.mkdir(parents=True, exist_ok=True)
    (pod.data / "lock").mkdir(parents=True, exist_ok=True)
    shutil.copy(settings.venv / "etc/nova/api-paste.ini", etc / "api-paste.ini")
    sections = options.merged(_sections(pod), more or {})
    options.write(settings, etc / "nova.conf", sections)
    for number, host in enumerate(pod.computes, 1):
        # A node's uuid lives in its state path.
        state = pod.data / "nova" / f"compute{number}"
        (state / "instances").mkdir(parents=True, exist_ok=True)
        # nova-compute refuses to start when it is given a database.
        own = {key: value for key, value in sections.items() if not key.endswith("database")}
        own["DEFAULT"] = {
            **sections["DEFAULT"],
            "host": host,
            "state_path": state,
            "instances_path": state / "instances",
        }
        options.write(settings, etc / f"compute{number}.conf", own)


def _sections(pod: Pod) -> dict[str, options.Section]:
    settings = pod.settings
    region = {"region_name": pod.name}
    return {
        "DEFAULT": {
            **options.common(settings, pod.key),
            "host": f"{pod.key}-ctl",
            "my_ip": settings.address,
            "state_path": pod.data / "nova",
            "compute_driver": "lab.LabDriver",
            "allow_resize_to_same_host": "true",
            "vif_plugging_is_fatal": "false",
            "vif_plugging_timeout": 0,
            "sync_power_state_interval": -1,
            "running_deleted_instance_action": "noop",
            "instance_usage_audit": "false",
            "report_interval": 20,
            "service_down_time": 90,
            "shutdown_timeout": 0,
            # Never default_schedule_zone="": nova stores the empty zone with each server.
            "default_availability_zone": pod.inner_zones[0],
            "block_device_allocate_retries_interval": 1,
            "osapi_compute_unique_server_name_scope": "",
        },
        "api": {"auth_strategy": "keystone"},
        "wsgi": {"api_paste_config": pod.etc / "nova" / "api-paste.ini"},
        "api_database": options.database(settings, f"{pod.key}_nova_api"),
        "database": options.database(settings, f"{pod.key}_nova_cell1"),
        "keystone_authtoken": options.authtoken(pod, "nova"),
        "service_user": options.account(settings, "nova", send_service_user_token="true"),
        "placement": options.account(settings, "placement", **region),
        "neutron": options.account(settings, "neutron", **region),
        "glance": {**region, "service_type": "image", "num_retries": 1},
        "cinder": options.account(
            settings,
            "cinder",
            os_region_name=pod.name,
            catalog_info="volumev3:cinderv3:publicURL",
        ),
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 300},
        "filter_scheduler": {"enabled_filters": ",".join(FILTERS)},
        "compute": {"resource_provider_association_refresh": 300},
        "cache": options.cache(settings),
        **_consoles(settings),
        "oslo_concurrency": options.locks(pod),
        "oslo_messaging_rabbit": options.RABBIT,
    }


def _consoles(settings: Settings) -> dict[str, options.Section]:
    """Say where proxies would be; there are none."""
    root = f"http://{settings.address}"
    return {
        "vnc": {"enabled": "true", "novncproxy_base_url": f"{root}:6080/vnc_auto.html"},
        "spice": {"enabled": "true", "html5proxy_base_url": f"{root}:6082/spice_auto.html"},
        "serial_console": {"enabled": "true", "base_url": f"ws://{settings.address}:6083/"},
        "mks": {"enabled": "true", "mksproxy_base_url": f"{root}:6090/"},
    }


def map_cells(pod: Pod, processes: Processes) -> None:
    """Tell nova of its two cells, once."""
    mark = pod.data / ".cells"
    if mark.exists():
        return
    manage = _manage_cells(pod)
    cell0 = mariadb.url(pod.settings, f"{pod.key}_nova_cell0")
    processes.run([*manage, "map_cell0", "--database_connection", cell0], log="cells")
    processes.run([*manage, "create_cell", "--name", "cell1"], log="cells")
    mark.touch()


def discover_hosts(pod: Pod, processes: Processes) -> None:
    """Map the hosts that have reported."""
    processes.run([*_manage_cells(pod), "discover_hosts"], log="cells")


def _manage_cells(pod: Pod) -> list[str]:
    file = pod.etc / "nova" / "nova.conf"
    return [str(pod.settings.bin / "nova-manage"), f"--config-file={file}", "cell_v2"]


def start(pod: Pod, processes: Processes) -> None:
    """Start all of it."""
    etc, commands = pod.etc / "nova", pod.settings.bin
    for name in ("nova-conductor", "nova-scheduler"):
        command = [commands / name, f"--config-file={etc / 'nova.conf'}"]
        processes.start(f"{pod.key}-{name}", command, environment=_THREADS)
    start_api(pod, processes)
    for number in range(1, pod.settings.computes + 1):
        command = [commands / "nova-compute", f"--config-file={etc}/compute{number}.conf"]
        processes.start(f"{pod.key}-nova-compute{number}", command, environment=_THREADS)


def start_api(pod: Pod, processes: Processes) -> None:
    """Start the API alone."""
    environment = {
        **_THREADS,
        "OS_NOVA_CONFIG_DIR": str(pod.etc / "nova"),
        # The first file is taken for the paste file, too.
        "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
    }
    name = f"{pod.key}-nova-api"
    processes.serve(name, "nova.wsgi.osapi_compute", pod.port("nova"), environment)
