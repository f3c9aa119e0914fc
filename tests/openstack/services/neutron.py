"""Neutron of a pod: the API alone, since our ML2 driver binds ports without agents."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import Settings

_PLUGINS: options.Section = {"core_plugin": "ml2", "service_plugins": "router,auto_allocate"}


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the command that builds the database of the template."""
    file = etc / "neutron.conf"
    sections: dict[str, options.Section] = {
        "DEFAULT": {**options.common(settings, "pod1"), **_PLUGINS},
        "database": options.database(settings, "tmpl_neutron"),
    }
    options.write(settings, file, sections)
    manage = [str(settings.bin / "neutron-db-manage"), f"--config-file={file}"]
    return {"neutron": [*manage, "upgrade", "heads"]}


def configure(pod: Pod) -> None:
    """Write neutron.conf, ml2.ini and the paste file."""
    settings, etc, data = pod.settings, pod.etc / "neutron", pod.data / "neutron"
    data.mkdir(parents=True, exist_ok=True)
    etc.mkdir(parents=True, exist_ok=True)
    paste = etc / "api-paste.ini"
    shutil.copy(settings.venv / "etc/neutron/api-paste.ini", paste)
    sections: dict[str, options.Section] = {
        "DEFAULT": {
            **options.common(settings, pod.key),
            **_PLUGINS,
            "state_path": data,
            "host": f"{pod.key}-ctl",
            "api_paste_config": paste,
            "auth_strategy": "keystone",
            "allow_overlapping_ips": "true",
            "dhcp_agent_notification": "false",
            "notify_nova_on_port_status_changes": "true",
            "notify_nova_on_port_data_changes": "true",
            "send_events_interval": 1,
            "rpc_workers": 0,
            "rpc_state_report_workers": 0,
        },
        "database": options.database(settings, f"{pod.key}_neutron"),
        "keystone_authtoken": options.authtoken(pod, "neutron"),
        # Every call to the pod's own services names the region, or the first one is taken.
        "nova": options.account(settings, "nova", region_name=pod.name),
        "placement": options.account(settings, "placement", region_name=pod.name),
        "oslo_concurrency": options.locks(pod),
        "oslo_messaging_rabbit": options.RABBIT,
    }
    options.write(settings, etc / "neutron.conf", sections)
    layer2: dict[str, options.Section] = {
        "ml2": {
            "type_drivers": "flat,vlan,vxlan",
            "mechanism_drivers": "labnull",
            "tenant_network_types": "vxlan",
            "extension_drivers": "port_security",
        },
        "ml2_type_vxlan": {"vni_ranges": "1:100000"},
        "ml2_type_flat": {"flat_networks": "public"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:100:1000"},
        "securitygroup": {"enable_security_group": "true"},
    }
    options.write(settings, etc / "ml2.ini", layer2)


def start(pod: Pod, processes: Processes) -> None:
    """Start the API."""
    files = {
        "OS_NEUTRON_CONFIG_DIR": str(pod.etc / "neutron"),
        "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2.ini",
    }
    processes.serve(f"{pod.key}-neutron-api", "neutron.wsgi.api", pod.port("neutron"), files)
