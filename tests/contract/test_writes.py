"""Writes with an answer: status, headers and shape of a pod's own, and Nova's schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from control_plane.services.catalog import service_named
from control_plane.services.table import Table
from tests.contract.comparison import compare
from tests.contract.project import PUBLIC_KEY, Project
from tests.contract.schemas import Schemas
from tests.integration.cloud import IMAGE, NANO, Cloud, until
from tests.openstack.client import Answer

pytestmark = pytest.mark.openstack

COMPUTE = ("2.1", "2.47", "2.69", "2.90", "2.104")
VOLUME = ("3.0", "3.27", "3.50", "3.71")
#: Becomes another name in each request, the same in all of one request.
FRESH = "{fresh}"


@dataclass(frozen=True)
class Write:
    """A request that changes something; only at these versions."""

    method: str
    path: str
    body: Any
    admin: bool = False
    versions: tuple[str, ...] = COMPUTE

    @property
    def service(self) -> str:
        """The service whose versions they are."""
        return "compute" if self.versions[0].startswith("2") else "volume"

    @property
    def action(self) -> str:
        """The action of a body for a path with actions."""
        return str(next(iter(self.body))) if self.path.endswith("/action") else ""

    def __str__(self) -> str:
        """Tell it in the name of its test."""
        return f"{self.method} {self.service}{self.path} {self.action}".strip()


def _admin(method: str, path: str, body: Any, versions: tuple[str, ...] = COMPUTE) -> Write:
    return Write(method, path, body, admin=True, versions=versions)


def _volume(method: str, path: str, body: Any, *, admin: bool = False, first: str = "") -> Write:
    return Write(method, path, body, admin, tuple(entry for entry in VOLUME if entry >= first))


_SERVER = {"name": FRESH, "flavorRef": NANO, "imageRef": IMAGE, "availability_zone": "{zone}"}
_FLAVOR = {"id": FRESH, "name": FRESH, "ram": 64, "vcpus": 1, "disk": 1}
_ACTION = "/servers/{server}/action"
_WRITES = [
    Write("POST", "/servers", {"server": _SERVER}),
    Write("POST", "/servers", {"server": {**_SERVER, "return_reservation_id": True}}),
    Write("POST", "/os-volumes_boot", {"server": _SERVER}),
    Write("PUT", "/servers/{server}", {"server": {"name": FRESH}}),
    Write("POST", "/servers/{server}/metadata", {"metadata": {"role": "x"}}),
    Write("PUT", "/servers/{server}/metadata", {"metadata": {"role": "x"}}),
    Write("PUT", "/servers/{server}/metadata/{key}", {"meta": {"role": "x"}}),
    Write("PUT", "/servers/{server}/tags", {"tags": ["blue"]}),
    Write("PUT", "/servers/{server}/tags/{tag}", None),
    Write("POST", _ACTION, {"os-getConsoleOutput": {"length": 1}}),
    Write("POST", _ACTION, {"lock": None}),
    Write("POST", _ACTION, {"unlock": None}),
    Write("POST", _ACTION, {"createImage": {"name": FRESH}}),
    Write("POST", _ACTION, {"os-getVNCConsole": {"type": "novnc"}}),
    Write(
        "POST",
        "/servers/{server}/remote-consoles",
        {"remote_console": {"protocol": "vnc", "type": "novnc"}},
    ),
    Write("POST", "/os-keypairs", {"keypair": {"name": FRESH, "public_key": PUBLIC_KEY}}),
    Write("POST", "/os-keypairs", {"keypair": {"name": FRESH}}),
    Write("POST", "/os-server-groups", {"server_group": {"name": FRESH, "policies": ["affinity"]}}),
    Write("POST", "/os-server-groups", {"server_group": {"name": FRESH, "policy": "affinity"}}),
    _admin("POST", "/flavors", {"flavor": _FLAVOR}),
    _admin("PUT", "/flavors/{flavor}", {"flavor": {"description": "x"}}),
    _admin(
        "POST", "/flavors/{flavor}/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}}
    ),
    _admin("PUT", "/flavors/{flavor}/os-extra_specs/hw:cpu_policy", {"hw:cpu_policy": "shared"}),
    _admin("POST", "/os-aggregates", {"aggregate": {"name": FRESH}}),
    _admin("PUT", "/os-aggregates/{aggregate}", {"aggregate": {"availability_zone": None}}),
    _admin("POST", "/os-aggregates/{aggregate}/action", {"set_metadata": {"metadata": {"a": "b"}}}),
    _admin("PUT", "/os-quota-sets/{project}", {"quota_set": {"cores": 20}}),
    _admin(
        "POST",
        "/os-server-external-events",
        {"events": [{"name": "network-changed", "server_uuid": "{server}"}]},
    ),
    _volume("POST", "/volumes", {"volume": {"size": 1, "name": FRESH}}),
    _volume("PUT", "/volumes/{volume}", {"volume": {"description": "x"}}),
    _volume("POST", "/volumes/{volume}/metadata", {"metadata": {"role": "x"}}),
    _volume("PUT", "/volumes/{volume}/metadata", {"metadata": {"role": "x"}}),
    _volume("PUT", "/volumes/{volume}/metadata/role", {"meta": {"role": "x"}}),
    _volume("POST", "/volumes/{volume}/action", {"os-show_image_metadata": None}),
    _volume("POST", "/snapshots", {"snapshot": {"volume_id": "{free}", "name": FRESH}}),
    _volume("PUT", "/snapshots/{snapshot}", {"snapshot": {"description": "x"}}),
    _volume("POST", "/snapshots/{snapshot}/metadata", {"metadata": {"role": "x"}}),
    _volume("POST", "/types", {"volume_type": {"name": FRESH}}, admin=True),
    _volume("PUT", "/types/{volume_type}", {"volume_type": {"description": "x"}}, admin=True),
    _volume("POST", "/types/{volume_type}/extra_specs", {"extra_specs": {"a": "b"}}, admin=True),
    _volume("PUT", "/types/{volume_type}/extra_specs/a", {"a": "b"}, admin=True),
    _volume("POST", "/qos-specs", {"qos_specs": {"name": FRESH}}, admin=True),
    _volume("PUT", "/qos-specs/{qos_spec}", {"qos_specs": {"a": "b"}}, admin=True),
    _volume("POST", "/group_types", {"group_type": {"name": FRESH}}, admin=True, first="3.27"),
    _volume(
        "POST",
        "/group_types/{group_type}/group_specs",
        {"group_specs": {"a": "b"}},
        admin=True,
        first="3.27",
    ),
    _volume("PUT", "/os-quota-sets/{project}", {"quota_set": {"volumes": 10}}, admin=True),
]
_TABLES = {name: Table(service_named(name)) for name in ("compute", "volume")}
_CASES = [
    pytest.param(write, version, id=f"{write} {number} {version}")
    for number, write in enumerate(_WRITES)
    for version in write.versions
]


@pytest.mark.parametrize(("write", "version"), _CASES)
def test_a_write_is_answered_as_by_a_pod(
    project: Project, zones: tuple[str, str], schemas: Schemas, write: Write, version: str
) -> None:
    tenant = project.tenant
    here = tenant.admin if write.admin else tenant.cloud
    first = (tenant.direct_admin if write.admin else tenant.direct)[zones[0]]
    inner = _inner_zone(first)

    if write.action == "createImage":
        # One image of a server at a time.
        _settle(first, project.ids["server"])
    wanted = _send(project, first, write, version, {"zone": inner})
    if write.action == "createImage":
        _settle(first, project.ids["server"])
    found = _send(project, here, write, version, {"zone": zones[0]})

    told = compare(found, [wanted])
    if found.status < 300 and write.service == "compute":
        row = _TABLES["compute"].match(write.method, write.path).operation
        answer = found.json if found.content else None
        told += schemas.faults(write.method, row.path, version, answer, write.action)
    assert not told, "\n".join(told)


def _settle(pod: Cloud, server: str) -> None:
    until(
        "the server to be idle",
        lambda: pod.read("compute", f"/servers/{server}")["server"]["OS-EXT-STS:task_state"],
        lambda state: state is None,
    )


def _send(
    project: Project, cloud: Cloud, write: Write, version: str, more: Mapping[str, str]
) -> Answer:
    words = {
        **project.ids,
        **more,
        "fresh": f"{project.name}-{uuid4().hex[:6]}",
    }
    return cloud.call(
        write.method,
        write.service,
        project.path(cloud, write.path, version),
        _filled(write.body, words),
        version=version,
    )


def _filled(body: Any, words: Mapping[str, str]) -> Any:
    """Fill in a body's texts; its keys stay."""
    if isinstance(body, dict):
        return {key: _filled(value, words) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, words) for value in body]
    if isinstance(body, str) and body.startswith("{"):
        return words[body[1:-1]]
    return body


def _inner_zone(pod: Cloud) -> str:
    [zone, *_] = pod.read("compute", "/os-availability-zone")["availabilityZoneInfo"]
    return str(zone["zoneName"])
