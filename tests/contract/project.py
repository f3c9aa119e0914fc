"""A project with one of each thing, so that no path of a table lacks an id to ask for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from control_plane.model.microversion import Microversion
from tests.integration.cloud import IMAGE, Cloud, until
from tests.integration.tenant import Tenant

_PARAMETER = re.compile(r"{([^}]*)}")
#: From here on Nova names hypervisors and services by UUID.
_UUIDS = Microversion(2, 53)
#: A key for those parameters of which the project has none: the pods' 404 is compared then.
NOBODY = "00000000-0000-4000-8000-00000000dead"
#: Fields of the bodies that were seeded.
KEY, TAG, LABEL, SPEC = "role", "blue", "lab-net", "hw:cpu_policy"
PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIH9PQYR5pk5OhFkHGvFVZ8eQlSTmZ8O1v4K7sO8rH4D contract"
)


@dataclass(frozen=True, slots=True)
class Project:
    """What was made, and the ids by the names that the tables' paths use."""

    tenant: Tenant
    name: str
    ids: Mapping[str, str]

    def path(self, cloud: Cloud, template: str, version: str) -> str:
        """Fill in a row's path; host names and small numbers are those that `cloud` shows."""
        if "{volume_type}/extra_specs" in template:
            template = template.replace("{key}", "volume_backend_name")
        return _PARAMETER.sub(lambda found: self._id(cloud, found[1], version), template)

    def _id(self, cloud: Cloud, parameter: str, version: str) -> str:
        shown = _SHOWN.get(parameter)
        if shown is None:
            return self.ids.get(parameter, NOBODY)
        path, plural, field, latest = shown
        at = version
        if latest and Microversion.parse(version) > Microversion.parse(latest):
            at = latest
        admin = Cloud(self.tenant.admin.client, cloud._roots)
        service = "compute" if version.startswith("2") else "volume"
        if parameter == "group_type":
            at = "3.71"
        items = admin.get(service, path, version=at).json.get(plural, [])
        found = [
            str(item[field]).partition("#")[0] for item in items if self._chosen(parameter, item)
        ]
        return found[0] if found else NOBODY

    def _chosen(self, parameter: str, item: Mapping[str, Any]) -> bool:
        if parameter in ("aggregate", "qos_spec", "group_type"):
            return bool(item["name"] == self.name)
        if parameter == "volume_type":
            return bool(item["name"] == "lab")
        if parameter in ("volume_host", "backend"):
            return True
        if parameter == "nova_host":
            return bool(item["service"] == "compute")
        return bool(item.get("binary", "nova-compute") == "nova-compute")


#: Where administrators read what is named otherwise in each pod: list, key, field, last version.
_SHOWN = {
    "aggregate": ("/os-aggregates", "aggregates", "id", ""),
    "hypervisor": ("/os-hypervisors", "hypervisors", "id", ""),
    "nova_service": ("/os-services", "services", "id", ""),
    "nova_host": ("/os-hosts", "hosts", "host_name", "2.42"),
    "volume_host": ("/os-hosts", "hosts", "host_name", ""),
    "volume_type": ("/types", "volume_types", "id", ""),
    "qos_spec": ("/qos-specs", "qos_specs", "id", ""),
    "group_type": ("/group_types", "group_types", "id", ""),
    "backend": ("/scheduler-stats/get_pools", "pools", "name", ""),
}


def seed(tenant: Tenant, zones: tuple[str, str]) -> Project:
    """Make everything: servers and volumes in both zones, the rest once or in each pod."""
    cloud, first = tenant.cloud, tenant.direct_admin[zones[0]]
    name = f"contract-{uuid4().hex[:8]}"
    for zone in zones:
        _lift_limits(tenant.direct_admin[zone], cloud.client.project_id)
    key = {"name": name, "public_key": PUBLIC_KEY}
    assert cloud.post("compute", "/os-keypairs", {"keypair": key}).status == 201
    made = {zone: _server(cloud, name, zone) for zone in zones}
    volumes = {zone: cloud.create_volume(name, zone, metadata={KEY: "x"}) for zone in zones}
    attached = cloud.create_volume(f"{name}-attached", zones[0])
    for server in made.values():
        cloud.wait_for_server(server)
    for volume in (*volumes.values(), attached):
        cloud.wait_for_volume(volume)
    server, volume = made[zones[0]], volumes[zones[0]]
    body = {"volumeAttachment": {"volumeId": attached}}
    assert cloud.post("compute", f"/servers/{server}/os-volume_attachments", body).status == 200
    assert cloud.call("PUT", "compute", f"/servers/{server}/tags/{TAG}").status == 201
    snapshot = {"volume_id": volume, "name": name, "metadata": {KEY: "x"}}
    answer = cloud.post("volume", "/snapshots", {"snapshot": snapshot})
    assert answer.status == 202, answer.text
    group = {"name": name, "policy": "anti-affinity"}
    groups = cloud.post("compute", "/os-server-groups", {"server_group": group})
    assert groups.status == 200, groups.text
    aggregate = {"name": name}
    assert first.post("compute", "/os-aggregates", {"aggregate": aggregate}).status == 200
    for zone in zones:
        _define(tenant.direct_admin[zone], name)
    grouped = {"group": {"name": name, "group_type": name, "volume_types": ["lab"]}}
    groups_of_volumes = first.post("volume", "/groups", grouped, version="3.71")
    assert groups_of_volumes.status == 202, groups_of_volumes.text
    cloud.wait_for_volume(attached, "in-use")
    transfer = {"transfer": {"volume_id": cloud.create_volume(f"{name}-given", zones[0])}}
    cloud.wait_for_volume(transfer["transfer"]["volume_id"])
    given = cloud.post("volume", "/volume-transfers", transfer, version="3.71")
    assert given.status == 202, given.text
    ids = {
        "server": server,
        "volume": attached,
        "free": volume,
        "snapshot": answer.json["snapshot"]["id"],
        "transfer": given.json["transfer"]["id"],
        "server_group": groups.json["server_group"]["id"],
        "keypair": name,
        "flavor": name,
        "group": groups_of_volumes.json["group"]["id"],
        "project": cloud.client.project_id,
        "quota_class": "default",
        "key": KEY,
        "tag": TAG,
        "label": LABEL,
        "image": IMAGE,
        "pattern": "compute",
        "version": "v2.1",
        "alias": "os-keypairs",
        "before": "2020-01-01",
        "port": _port(cloud, server),
        "request": _request(cloud, server),
    }
    return Project(tenant, name, ids)


def remove(project: Project, zones: tuple[str, str]) -> None:
    """Delete what the removal of a tenant does not know of."""
    tenant = project.tenant
    tenant.cloud.delete("volume", f"/volume-transfers/{project.ids['transfer']}", version="3.71")
    delete = {"delete": {"delete-volumes": True}}
    tenant.direct_admin[zones[0]].post(
        "volume", f"/groups/{project.ids['group']}/action", delete, version="3.71"
    )
    for zone in zones:
        pod = tenant.direct_admin[zone]
        for flavor in pod.read("compute", "/flavors?is_public=none")["flavors"]:
            if flavor["name"].startswith(project.name):
                pod.delete("compute", f"/flavors/{flavor['id']}")
        for group in pod.read("compute", "/os-server-groups")["server_groups"]:
            pod.delete("compute", f"/os-server-groups/{group['id']}")
        _undefine(pod, project.name)
        for aggregate in pod.read("compute", "/os-aggregates")["aggregates"]:
            if aggregate["name"].startswith(project.name):
                pod.delete("compute", f"/os-aggregates/{aggregate['id']}")


def _lift_limits(pod: Cloud, project: str) -> None:
    """Let a project have as much as the tests make."""
    compute = {"instances": -1, "cores": -1, "ram": -1, "server_groups": -1, "key_pairs": -1}
    volume = {"volumes": -1, "snapshots": -1, "gigabytes": -1}
    for service, limits in (("compute", compute), ("volume", volume)):
        answer = pod.call("PUT", service, f"/os-quota-sets/{project}", {"quota_set": limits})
        assert answer.status == 200, answer.text


def _define(pod: Cloud, name: str) -> None:
    """Make in a pod what every pod has alike."""
    flavor = {"id": name, "name": name, "ram": 64, "vcpus": 1, "disk": 1}
    made = [
        pod.post("compute", "/flavors", {"flavor": flavor}),
        pod.post(
            "compute", f"/flavors/{name}/os-extra_specs", {"extra_specs": {KEY: "x"}}, version="2.1"
        ),
        pod.post("volume", "/qos-specs", {"qos_specs": {"name": name}}),
        pod.post("volume", "/group_types", {"group_type": {"name": name}}, version="3.71"),
    ]
    assert [answer.status for answer in made] == [200, 200, 200, 202]


def _undefine(pod: Cloud, name: str) -> None:
    kinds = (
        ("/qos-specs", "qos_specs"),
        ("/group_types", "group_types"),
        ("/types", "volume_types"),
    )
    for path, plural in kinds:
        for entry in pod.get("volume", path, version="3.71").json.get(plural, ()):
            if entry["name"].startswith(name):
                _delete(pod, f"{path}/{entry['id']}")


def _delete(pod: Cloud, path: str) -> None:
    """Delete what is free only when something else is gone: a group type after its groups."""
    until(
        f"{path} deleted",
        lambda: pod.delete("volume", path, version="3.71").status,
        lambda status: status == 202,
    )


def _server(cloud: Cloud, name: str, zone: str) -> str:
    return cloud.create_server(name, zone, metadata={KEY: "x"}, key_name=name)


def _port(cloud: Cloud, server: str) -> str:
    ports = cloud.read("compute", f"/servers/{server}/os-interface")["interfaceAttachments"]
    return str(ports[0]["port_id"])


def _request(cloud: Cloud, server: str) -> str:
    path = f"/servers/{server}/os-instance-actions"
    return str(cloud.read("compute", path)["instanceActions"][-1]["request_id"])
