"""Bad requests: the gateway refuses with the status and the kind of fault of a pod."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.comparison import compare
from tests.contract.project import NOBODY, Project
from tests.integration.cloud import IMAGE, Cloud

pytestmark = pytest.mark.openstack

_SERVER = {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "networks": "auto"}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Bad:
    """A request that no cloud takes; the path may name things of the project."""

    method: str
    service: str
    path: str
    body: Any = None
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    admin: bool = False

    def __str__(self) -> str:
        """Tell it in the name of its test."""
        return f"{self.method} {self.service}{self.path} {self.version} {self.body}"[:110]


def _create(**fields: Any) -> Bad:
    body = {"server": {key: value for key, value in (_SERVER | fields).items() if value != ""}}
    return Bad("POST", "compute", "/servers", body)


def _volume(**fields: Any) -> Bad:
    return Bad("POST", "volume", "/volumes", {"volume": {"size": 1, **fields}})


def _act(body: Any, version: str = "", path: str = "/servers/{server}/action") -> Bad:
    return Bad("POST", "compute", path, body, version)


_BAD = [
    # Bodies of creates.
    _create(flavorRef=NOBODY),
    _create(flavorRef=""),
    _create(flavorRef=[42]),
    _create(imageRef="not-an-id"),
    _create(imageRef=NOBODY),
    _create(name=""),
    _create(name=7),
    _create(name="x" * 300),
    _create(networks=[{"uuid": "not-an-id"}]),
    _create(networks=[{"uuid": NOBODY}]),
    _create(networks=[{"port": NOBODY}]),
    _create(networks="everything"),
    _create(min_count=0),
    _create(min_count=3, max_count=2),
    _create(key_name="nobody-has-it"),
    _create(security_groups=[{"name": "nobody-has-it"}]),
    _create(metadata={"a": 1}),
    _create(user_data="not base64!"),
    _create(availability_zone=["az1"]),
    _create(unknown="field"),
    _create(block_device_mapping_v2=[{"source_type": "volume", "uuid": NOBODY, "boot_index": 1}]),
    _create(block_device_mapping_v2={"source_type": "volume"}),
    Bad("POST", "compute", "/servers", {}),
    Bad("POST", "compute", "/servers", []),
    Bad("POST", "compute", "/servers", {"server": None}),
    Bad("POST", "compute", "/servers", b"{not json", headers=_JSON),
    Bad("POST", "compute", "/servers", b"", headers=_JSON),
    Bad("POST", "compute", "/servers", b"<a/>", headers={"Content-Type": "application/xml"}),
    _volume(size="big"),
    _volume(size=0),
    _volume(size=-1),
    _volume(snapshot_id=NOBODY),
    _volume(snapshot_id="not-an-id"),
    _volume(source_volid=NOBODY),
    _volume(imageRef=NOBODY),
    _volume(volume_type="nobody-has-it"),
    _volume(metadata={"a": {"b": "c"}}),
    _volume(availability_zone=7),
    Bad("POST", "volume", "/volumes", {}),
    Bad("POST", "volume", "/volumes", {"volume": "x"}),
    Bad("POST", "volume", "/volumes", b"{not json", headers=_JSON),
    Bad("POST", "volume", "/snapshots", {"snapshot": {"volume_id": NOBODY}}),
    Bad("POST", "volume", "/snapshots", {"snapshot": {"name": "x"}}),
    Bad("POST", "volume", "/snapshots", {"snapshot": {"volume_id": 7}}),
    Bad("POST", "volume", "/backups", {"backup": {"volume_id": NOBODY}}),
    Bad("POST", "volume", "/volume-transfers", {"transfer": {"volume_id": NOBODY}}, "3.71"),
    Bad("POST", "volume", "/attachments", {"attachment": {"volume_uuid": NOBODY}}, "3.71"),
    Bad("POST", "compute", "/os-keypairs", {"keypair": {"name": "a b/c;"}}),
    Bad("POST", "compute", "/os-keypairs", {"keypair": {"name": "x", "public_key": "nonsense"}}),
    Bad("POST", "compute", "/os-keypairs", {"keypair": {"public_key": "ssh-rsa AAAA"}}),
    Bad("POST", "compute", "/os-server-groups", {"server_group": {"name": "x"}}, "2.64"),
    Bad(
        "POST",
        "compute",
        "/os-server-groups",
        {"server_group": {"name": "x", "policy": "friends"}},
        "2.64",
    ),
    Bad("POST", "compute", "/os-keypairs", {"keypair": {"name": "x"}}, "2.92"),
    # Actions.
    _act({}),
    _act({"os-start": None, "os-stop": None}),
    _act({"dance": None}),
    _act({"reboot": {"type": "SOFTLY"}}),
    _act({"reboot": None}),
    _act({"resize": {"flavorRef": NOBODY}}),
    _act({"rebuild": {"imageRef": NOBODY}}),
    _act({"rebuild": {"imageRef": "not-an-id"}}),
    _act({"createImage": {}}),
    _act({"os-getVNCConsole": {"type": "novnc"}}, "2.90"),
    _act({"addSecurityGroup": {"name": "nobody-has-it"}}),
    _act({"unshelve": None}),
    _act({"confirmResize": None}),
    _act({"os-start": None}, path=f"/servers/{NOBODY}/action"),
    _act(b"{not json"),
    Bad("POST", "volume", "/volumes/{volume}/action", {"os-extend": {"new_size": "x"}}),
    Bad("POST", "volume", "/volumes/{volume}/action", {"dance": {}}),
    Bad("POST", "volume", f"/volumes/{NOBODY}/action", {"os-extend": {"new_size": 2}}),
    Bad("POST", "volume", "/volumes/{volume}/action", {}),
    # What lies below a server.
    Bad("POST", "compute", "/servers/{server}/metadata", {"metadata": {"a": 1}}),
    Bad("PUT", "compute", "/servers/{server}/metadata/a", {"meta": {"b": "c"}}),
    Bad("DELETE", "compute", "/servers/{server}/metadata/nothing"),
    Bad("PUT", "compute", "/servers/{server}/tags/a,b"),
    Bad("PUT", "compute", "/servers/{server}/tags", {"tags": "a"}),
    Bad("PUT", "compute", "/servers/{server}", {"server": {"name": ""}}),
    Bad(
        "POST",
        "compute",
        "/servers/{server}/os-volume_attachments",
        {"volumeAttachment": {"volumeId": NOBODY}},
    ),
    Bad(
        "POST",
        "compute",
        "/servers/{server}/os-interface",
        {"interfaceAttachment": {"port_id": NOBODY}},
    ),
    Bad(
        "POST",
        "compute",
        "/servers/{server}/remote-consoles",
        {"remote_console": {"protocol": "telnet", "type": "x"}},
    ),
    # Ids that nobody has, and that cannot be.
    *(
        Bad(method, service, path)
        for service, path in (
            ("compute", f"/servers/{NOBODY}"),
            ("compute", "/servers/not-an-id"),
            ("compute", f"/flavors/{NOBODY}"),
            ("compute", f"/os-server-groups/{NOBODY}"),
            ("compute", "/os-keypairs/nobody-has-it"),
            ("volume", f"/volumes/{NOBODY}"),
            ("volume", "/volumes/not-an-id"),
            ("volume", f"/snapshots/{NOBODY}"),
            ("volume", f"/types/{NOBODY}"),
        )
        for method in ("GET", "DELETE")
    ),
    # Queries.
    Bad("GET", "compute", "/servers?limit=-1"),
    Bad("GET", "compute", "/servers?limit=x"),
    Bad("GET", "compute", f"/servers?marker={NOBODY}"),
    Bad("GET", "compute", "/servers?sort_key=nothing"),
    Bad("GET", "compute", "/servers?sort_key=host"),
    Bad("GET", "compute", "/servers?sort_dir=sideways"),
    Bad("GET", "compute", "/servers?changes-since=yesterday"),
    Bad("GET", "compute", "/servers?all_tenants=1"),
    Bad("GET", "compute", "/servers?all_tenants=maybe", admin=True),
    Bad("GET", "compute", "/servers?status=DELETED"),
    Bad("GET", "compute", "/servers?status=dancing"),
    Bad("GET", "compute", "/servers?unknown=x", version="2.75"),
    Bad("GET", "compute", "/servers?name=%5B"),
    Bad("GET", "compute", "/flavors?limit=-1"),
    Bad("GET", "compute", "/flavors?marker=nobody-has-it"),
    Bad("GET", "compute", "/flavors?minRam=x"),
    Bad("GET", "compute", "/flavors?sort_key=nothing"),
    Bad("GET", "compute", "/flavors?is_public=maybe", admin=True),
    Bad("GET", "compute", "/os-keypairs?limit=x", version="2.35"),
    Bad("GET", "compute", "/os-keypairs?marker=nobody-has-it", version="2.35"),
    Bad("GET", "compute", "/os-server-groups?limit=-1"),
    Bad("GET", "volume", "/volumes?limit=-1"),
    Bad("GET", "volume", "/volumes?limit=x"),
    Bad("GET", "volume", f"/volumes?marker={NOBODY}"),
    Bad("GET", "volume", "/volumes?sort=nothing:asc"),
    Bad("GET", "volume", "/volumes?sort=name:sideways"),
    Bad("GET", "volume", "/volumes?sort_key=name&sort=name:asc"),
    Bad("GET", "volume", "/volumes?offset=-1"),
    Bad("GET", "volume", "/snapshots?limit=-1"),
    Bad("GET", "volume", f"/snapshots?marker={NOBODY}"),
    Bad("GET", "volume", "/types?limit=x"),
    Bad("GET", "volume", "/qos-specs?marker=nobody-has-it", admin=True),
    # The clouds have no bare metal.
    Bad("GET", "compute", "/os-baremetal-nodes", version="2.1", admin=True),
    Bad("GET", "compute", f"/os-baremetal-nodes/{NOBODY}", version="2.1", admin=True),
    # Methods, paths, versions.
    Bad("PUT", "compute", "/servers", {}),
    Bad("DELETE", "compute", "/flavors"),
    Bad("POST", "compute", "/servers/{server}", {}),
    Bad("GET", "compute", "/nothing"),
    Bad("GET", "compute", "/servers/{server}/nothing"),
    Bad("GET", "compute", "/servers/{server}/action"),
    Bad("GET", "compute", "/os-hosts", version="2.43", admin=True),
    Bad("GET", "compute", "/images", version="2.36"),
    Bad("GET", "compute", "/servers/{server}/tags", version="2.25"),
    Bad("GET", "compute", "/servers", version="2.999"),
    Bad("GET", "compute", "/servers", version="1.1"),
    Bad("GET", "compute", "/servers", version="two"),
    Bad("GET", "compute", "/servers", version="2.01"),
    Bad("PATCH", "volume", "/volumes", {}),
    Bad("GET", "volume", "/nothing"),
    Bad("GET", "volume", "/volumes/{volume}/nothing"),
    Bad("GET", "volume", "/attachments", version="3.26"),
    Bad("GET", "volume", "/volumes", version="3.999"),
    Bad("GET", "volume", "/volumes", version="two"),
    Bad("GET", "volume", "/volumes", headers={"OpenStack-API-Version": "compute 2.1"}),
    # Rights.
    Bad("GET", "compute", "/os-hypervisors"),
    Bad("GET", "compute", "/os-services"),
    Bad("GET", "compute", "/os-aggregates"),
    Bad("GET", "compute", "/os-migrations"),
    Bad("GET", "compute", "/servers/{server}/diagnostics"),
    Bad("POST", "compute", "/flavors", {"flavor": {"name": "x", "ram": 1, "vcpus": 1, "disk": 1}}),
    Bad("POST", "compute", "/flavors", {"flavor": {"name": "x"}}, admin=True),
    Bad("POST", "compute", "/flavors/{flavor}/action", {"addTenantAccess": {}}, admin=True),
    Bad("POST", "compute", "/os-aggregates", {"aggregate": {}}, admin=True),
    Bad("GET", "compute", "/os-aggregates/999999", admin=True),
    Bad("GET", "compute", "/os-aggregates/x", admin=True),
    Bad("GET", "compute", f"/os-hypervisors/{NOBODY}", admin=True),
    Bad("GET", "compute", "/os-quota-sets/{project}?x=1", version="2.75", admin=True),
    Bad(
        "PUT",
        "compute",
        "/os-quota-sets/{project}",
        {"quota_set": {"cores": "many"}},
        admin=True,
    ),
    Bad("PUT", "compute", "/os-quota-sets/{project}", {"quota_set": {"cores": 1}}),
    Bad("GET", "volume", "/os-services"),
    Bad("GET", "volume", "/scheduler-stats/get_pools"),
    Bad("POST", "volume", "/types", {"volume_type": {"name": "x"}}),
    Bad("POST", "volume", "/types", {"volume_type": {"name": ""}}, admin=True),
    Bad("POST", "volume", "/types", {"volume_type": {"name": "lab"}}, admin=True),
    Bad("POST", "volume", "/qos-specs", {"qos_specs": {}}, admin=True),
    Bad("PUT", "volume", "/os-quota-sets/{project}", {"quota_set": {"volumes": "x"}}, admin=True),
    Bad("GET", "volume", "/os-hosts/nobody", admin=True),
]


@pytest.mark.parametrize("bad", _BAD, ids=str)
def test_a_bad_request_is_refused_as_by_a_pod(project: Project, bad: Bad) -> None:
    tenant = project.tenant
    here = tenant.admin if bad.admin else tenant.cloud
    first = next(iter((tenant.direct_admin if bad.admin else tenant.direct).values()))
    found, wanted = _ask(project, here, bad), _ask(project, first, bad)

    told = compare(found, [wanted])

    assert wanted.status >= 400 or not bad.body, "the pod took it"
    assert not told, "\n".join(told)


def _ask(project: Project, cloud: Cloud, bad: Bad) -> Any:
    service = bad.service
    version = bad.version or {"compute": "2.90", "volume": ""}[service]
    filled = project.path(cloud, bad.path, "2.90" if service == "compute" else "3.0")
    return cloud.call(bad.method, service, filled, bad.body, version=version, headers=bad.headers)


@pytest.mark.parametrize(
    ("path", "plural", "version"),
    [("/types", "volume_types", "3.60"), ("/group_types", "group_types", "3.60")],
)
def test_a_marker_that_is_no_type_is_none_as_for_a_pod(
    project: Project, path: str, plural: str, version: str
) -> None:
    marked = f"{path}?marker=nobody-has-it"

    listed = project.tenant.cloud.read("volume", marked, version=version)[plural]

    for pod in project.tenant.direct.values():
        theirs = pod.read("volume", marked, version=version)[plural]
        assert {item["name"] for item in theirs} <= {item["name"] for item in listed}
