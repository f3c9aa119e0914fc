"""Write tempest.conf; the region is the one knob, all else is the same for pod and gateway."""

import configparser
import io
from collections.abc import Mapping
from pathlib import Path

from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.seed import IMAGES
from tests.openstack.services.cinder import BACK_ENDS
from tests.openstack.services.nova import FILTERS
from tests.openstack.settings import PASSWORD, Settings

_COMPUTE_YES = (
    "resize cold_migration live_migration live_migrate_back_and_forth "
    "block_migration_for_live_migration console_output rescue shelve suspend pause snapshot "
    "interface_attach change_password volume_multiattach config_drive "
    "hostname_fqdn_sanitization personality stable_rescue swap_volume attach_encrypted_volume "
    "volume_backed_live_migration"
)
#: Tests of consoles speak to a proxy, which the bed has not.
_COMPUTE_NO = "vnc_console spice_console serial_console metadata_service"
_VOLUME_YES = (
    "snapshot clone manage_volume manage_snapshot extend_attached_volume "
    "extend_attached_encrypted_volume enable_volume_image_dep_tests backup multi_backend"
)
_WAIT = {"build_interval": "1", "build_timeout": "60"}


def write(settings: Settings, region: str, workspace: Path) -> None:
    """Write a workspace's tempest.conf."""
    (workspace / "etc").mkdir(parents=True, exist_ok=True)
    (workspace / "etc/tempest.conf").write_text(text(settings, region, workspace))


def text(settings: Settings, region: str, workspace: Path) -> str:
    """Make the text of a tempest.conf.

    Facts of a pod (extensions, external network) come from the first pod, so that the same tests
    are chosen whatever the region.
    """
    pod, client = Pod(settings, 1), Client(settings.keystone)
    networks = f"{pod.url('neutron')}/v2.0"
    extensions = client.ask("GET", f"{networks}/extensions")["extensions"]
    [public] = client.ask("GET", f"{networks}/networks?name=public")["networks"]
    services = client.ask("GET", f"{pod.url('nova')}/v2.1/os-services")["services"]
    computes = sum(service["binary"] == "nova-compute" for service in services)
    aliases = ",".join(sorted(extension["alias"] for extension in extensions))
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser["DEFAULT"] = {"log_file": "tempest.log", "debug": "false"}
    parser.read_dict(
        {
            "oslo_concurrency": {"lock_path": str(workspace / "lock")},
            **_identity(settings, region),
            **_compute(computes),
            **_network(public["id"], aliases),
            **_volume(),
        }
    )
    written = io.StringIO()
    parser.write(written)
    return written.getvalue()


def _flags(yes: str, no: str) -> dict[str, str]:
    return dict.fromkeys(yes.split(), "true") | dict.fromkeys(no.split(), "false")


def _identity(settings: Settings, region: str) -> Mapping[str, Mapping[str, str]]:
    return {
        "auth": {
            "use_dynamic_credentials": "true",
            "admin_username": "admin",
            "admin_password": PASSWORD,
            "admin_project_name": "admin",
            "admin_domain_name": "Default",
            # Servers name no network: nova takes the one shared network of the pod it lands in,
            # so nothing in a request is bound to one pod.
            "create_isolated_networks": "false",
        },
        "identity": {
            "uri_v3": settings.keystone,
            "auth_version": "v3",
            "region": region,
            "v3_endpoint_type": "public",
        },
        "identity-feature-enabled": {"api_v3": "true"},
        "service_available": _flags("nova cinder glance neutron", "swift horizon"),
        "validation": {
            "run_validation": "false",
            "connect_method": "fixed",
            "network_for_ssh": "lab-net",
        },
    }


def _compute(computes: int) -> Mapping[str, Mapping[str, str]]:
    return {
        "compute": {
            "image_ref": IMAGES["cirros-lab"],
            "image_ref_alt": IMAGES["cirros-lab-alt"],
            "flavor_ref": "42",
            "flavor_ref_alt": "84",
            **_WAIT,
            "ready_wait": "0",
            "min_compute_nodes": str(computes),
            # The pods check no signatures: any image will do, and any names of certificates.
            "certified_image_ref": IMAGES["cirros-lab"],
            "certified_image_trusted_certs": "first,second",
            "catalog_type": "compute",
            "min_microversion": "2.1",
            "max_microversion": "latest",
        },
        "compute-feature-enabled": {
            "scheduler_enabled_filters": ",".join(FILTERS),
            "nova_policy_roles": "admin,manager,member,reader",
            **_flags(_COMPUTE_YES, _COMPUTE_NO),
        },
        "enforce_scope": {"nova": "true"},
        "image": {**_WAIT, "catalog_type": "image"},
    }


def _network(public: str, extensions: str) -> Mapping[str, Mapping[str, str]]:
    return {
        "network": {
            **_WAIT,
            "public_network_id": public,
            "catalog_type": "network",
            "floating_network_name": "public",
        },
        "network-feature-enabled": {
            "api_extensions": extensions,
            "floating_ips": "true",
            "ipv6": "false",
        },
    }


def _volume() -> Mapping[str, Mapping[str, str]]:
    return {
        "volume": {
            **_WAIT,
            "catalog_type": "volumev3",
            "backend_names": ",".join(BACK_ENDS),
            "storage_protocol": "fake",
            "vendor_name": "lab",
            "volume_type_multiattach": "lab-multi",
            "disk_format": "raw",
            "volume_size": "1",
            "min_microversion": "3.0",
            "max_microversion": "latest",
        },
        "volume-feature-enabled": _flags(_VOLUME_YES, ""),
    }
