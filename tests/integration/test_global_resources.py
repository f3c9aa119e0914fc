"""What users have once is in every pod: written everywhere or nowhere, and late if need be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.gateway import Gateway
from tests.integration.relay import Relay
from tests.integration.tenant import Tenant
from tests.openstack.client import Answer
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings

pytestmark = pytest.mark.openstack

#: Type names are unique in a cloud that other tests use as well.
_VOLUME = "3.63"


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"global-{uuid4().hex[:8]}"


@pytest.fixture
def lost(relay: Relay, tenant: Tenant) -> Iterator[None]:
    """The second pod's Nova cannot be reached until the test mends the way."""
    relay.cut()
    yield
    relay.mend()
    until(
        "both pods",
        lambda: tenant.cloud.get("compute", "/servers").headers.get("x-trio2o-missing"),
        lambda missing: missing is None,
    )


def _flavor(name: str, **fields: Any) -> dict[str, Any]:
    return {"flavor": {"name": name, "ram": 64, "disk": 0, "vcpus": 1, **fields}}


def _made(answer: Answer, key: str) -> str:
    assert answer.status in (200, 202), f"{answer.status} {answer.text}"
    return str(answer.json[key]["id"])


def _names(cloud: Cloud, path: str, key: str) -> list[str]:
    return [item["name"] for item in cloud.read("volume", path, version=_VOLUME)[key]]


def _of_name(cloud: Cloud, path: str, key: str, name: str) -> Any:
    items = cloud.read("volume", path, version=_VOLUME)[key]
    return next(item for item in items if item["name"] == name)


def test_a_flavor_has_one_id_and_all_its_parts_in_every_pod(tenant: Tenant, name: str) -> None:
    admin = tenant.admin
    flavor = _made(
        admin.post("compute", "/flavors", _flavor(name, **{"os-flavor-access:is_public": False})),
        "flavor",
    )
    specs = {"extra_specs": {"hw:numa_nodes": "1", "trio2o:x": "1"}}
    admin.post("compute", f"/flavors/{flavor}/os-extra_specs", specs)
    admin.delete("compute", f"/flavors/{flavor}/os-extra_specs/trio2o:x")
    grant = {"addTenantAccess": {"tenant": tenant.cloud.client.project_id}}
    admin.post("compute", f"/flavors/{flavor}/action", grant)
    admin.put("compute", f"/flavors/{flavor}", {"flavor": {"description": "words"}})

    for pod in tenant.direct_admin.values():
        shown = pod.read("compute", f"/flavors/{flavor}")["flavor"]
        assert (shown["name"], shown["description"]) == (name, "words")
        assert shown["extra_specs"] == {"hw:numa_nodes": "1"}
        [access] = pod.read("compute", f"/flavors/{flavor}/os-flavor-access")["flavor_access"]
        assert access["tenant_id"] == tenant.cloud.client.project_id
    assert tenant.cloud.read("compute", f"/flavors/{flavor}")["flavor"]["name"] == name

    assert admin.delete("compute", f"/flavors/{flavor}").status == 202
    for pod in tenant.direct_admin.values():
        assert not pod.has("compute", f"/flavors/{flavor}")


def test_a_flavor_that_one_pod_refuses_is_in_none(tenant: Tenant, name: str) -> None:
    _, second = tenant.direct_admin.values()
    second.post("compute", "/flavors", _flavor(name, id=name))

    answer = tenant.admin.post("compute", "/flavors", _flavor(f"{name}-other", id=name))

    held = [pod.has("compute", f"/flavors/{name}") for pod in tenant.direct_admin.values()]
    second.delete("compute", f"/flavors/{name}")
    assert answer.status == 409
    assert answer.json["conflictingRequest"]["code"] == 409
    assert held == [False, True]


def test_a_flavor_made_while_a_pod_is_away_is_there_when_it_returns(
    tenant: Tenant, relay: Relay, lost: None, name: str, zones: tuple[str, str]
) -> None:
    _, second = tenant.direct_admin.values()

    answer = tenant.admin.post("compute", "/flavors", _flavor(name))
    flavor = _made(answer, "flavor")
    specs = {"extra_specs": {"hw:numa_nodes": "1"}}
    late = tenant.admin.post("compute", f"/flavors/{flavor}/os-extra_specs", specs)

    assert answer.headers["x-trio2o-missing"] == zones[1]
    assert (late.status, late.headers["x-trio2o-missing"]) == (200, zones[1])
    assert not second.has("compute", f"/flavors/{flavor}")
    relay.mend()
    shown = until(
        "the flavor",
        lambda: second.get("compute", f"/flavors/{flavor}/os-extra_specs").text,
        lambda text: "numa" in text,
    )
    relay.cut()
    assert "hw:numa_nodes" in shown
    relay.mend()
    until(
        "gone",
        lambda: tenant.admin.delete("compute", f"/flavors/{flavor}").headers,
        lambda headers: "x-trio2o-missing" not in headers,
    )
    until("gone", lambda: second.has("compute", f"/flavors/{flavor}"), lambda there: not there)
    relay.cut()


def test_a_key_pair_made_while_a_pod_is_away_belongs_to_its_user(
    tenant: Tenant, relay: Relay, lost: None, name: str
) -> None:
    _, second = tenant.direct.values()

    made = tenant.cloud.post(
        "compute", "/os-keypairs", {"keypair": {"name": name}}, version="2.2"
    ).json["keypair"]
    relay.mend()
    until("the key", lambda: second.has("compute", f"/os-keypairs/{name}"), bool)
    shown = second.read("compute", f"/os-keypairs/{name}")["keypair"]
    relay.cut()

    assert shown["public_key"] == made["public_key"]
    assert shown["user_id"] == made["user_id"]


@pytest.mark.parametrize(
    ("path", "key", "plural"),
    [
        ("/types", "volume_type", "volume_types"),
        ("/qos-specs", "qos_specs", "qos_specs"),
        ("/group_types", "group_type", "group_types"),
    ],
)
def test_what_pods_number_themselves_has_one_id_for_users(
    tenant: Tenant, path: str, key: str, plural: str, name: str
) -> None:
    made = _made(tenant.admin.post("volume", path, {key: {"name": name}}, version=_VOLUME), key)

    own = [_of_name(pod, path, plural, name)["id"] for pod in tenant.direct_admin.values()]
    listed = [
        item
        for item in tenant.admin.read("volume", path, version=_VOLUME)[plural]
        if item["name"] == name
    ]
    shown = tenant.admin.read("volume", f"{path}/{made}", version=_VOLUME)[key]
    gone = tenant.admin.delete("volume", f"{path}/{made}", version=_VOLUME)

    assert len(set(own)) == 2
    assert [item["id"] for item in listed] == [made]
    assert (shown["id"], shown["name"]) == (made, name)
    assert gone.status == 202
    for pod in tenant.direct_admin.values():
        assert name not in _names(pod, path, plural)


def test_types_specs_and_encryption_belong_together_in_every_pod(tenant: Tenant, name: str) -> None:
    admin = tenant.admin
    kind = _made(admin.post("volume", "/types", {"volume_type": {"name": name}}), "volume_type")
    qos = _made(admin.post("volume", "/qos-specs", {"qos_specs": {"name": name}}), "qos_specs")
    bound = admin.get("volume", f"/qos-specs/{qos}/associate?vol_type_id={kind}")
    luks = {"provider": "luks", "control_location": "front-end"}
    admin.post("volume", f"/types/{kind}/encryption", {"encryption": luks})

    assert bound.status == 202
    shown = admin.read("volume", f"/types/{kind}/encryption")
    assert (shown["volume_type_id"], shown["provider"]) == (kind, "luks")
    changed = {"encryption": {"cipher": "aes-xts-plain64"}}
    path = f"/types/{kind}/encryption/{shown['encryption_id']}"
    assert admin.put("volume", path, changed).status == 200
    [user] = admin.read("volume", f"/qos-specs/{qos}/associations")["qos_associations"]
    assert user["id"] == kind
    assert _of_name(admin, "/types", "volume_types", name)["qos_specs_id"] == qos
    for pod in tenant.direct_admin.values():
        mine = _of_name(pod, "/types", "volume_types", name)
        assert mine["qos_specs_id"] == _of_name(pod, "/qos-specs", "qos_specs", name)["id"]
        assert pod.read("volume", f"/types/{mine['id']}/encryption")["provider"] == "luks"
    admin.get("volume", f"/qos-specs/{qos}/disassociate_all")
    assert admin.delete("volume", f"/qos-specs/{qos}").status == 202
    assert admin.delete("volume", f"/types/{kind}").status == 202


def test_a_volume_says_the_users_id_of_its_type_in_every_zone(
    tenant: Tenant, zones: tuple[str, str], name: str
) -> None:
    kind = _made(
        tenant.admin.post("volume", "/types", {"volume_type": {"name": name}}), "volume_type"
    )

    volumes = [
        tenant.cloud.create_volume(name, zone, volume_type=ref)
        for zone, ref in ((zones[0], kind), (zones[1], kind), (zones[1], name))
    ]
    shown = [
        tenant.cloud.read("volume", f"/volumes/{volume}", version=_VOLUME)["volume"]
        for volume in volumes
    ]
    listed = tenant.cloud.read("volume", "/volumes/detail", version=_VOLUME)["volumes"]

    assert [volume["volume_type_id"] for volume in shown] == [kind] * 3
    assert {item["volume_type_id"] for item in listed if item["id"] in volumes} == {kind}
    for volume in volumes:
        tenant.cloud.wait_for_volume(volume)
        tenant.cloud.delete("volume", f"/volumes/{volume}")
    until(
        "volumes gone",
        lambda: [v for v in volumes if tenant.cloud.has("volume", f"/volumes/{v}")],
        lambda left: not left,
    )
    assert tenant.admin.delete("volume", f"/types/{kind}").status == 202


def test_a_type_in_use_in_one_pod_stays_in_all(
    tenant: Tenant, zones: tuple[str, str], name: str
) -> None:
    private = {"name": name, "os-volume-type-access:is_public": False, "extra_specs": {"my:a": "b"}}
    kind = _made(tenant.admin.post("volume", "/types", {"volume_type": private}), "volume_type")
    project = tenant.cloud.client.project_id
    tenant.admin.post("volume", f"/types/{kind}/action", {"addProjectAccess": {"project": project}})
    volume = tenant.cloud.create_volume(name, zones[1], volume_type=kind)
    tenant.cloud.wait_for_volume(volume)

    refused = tenant.admin.delete("volume", f"/types/{kind}")
    shown = tenant.admin.read("volume", f"/types/{kind}")["volume_type"]
    first, _ = tenant.direct_admin.values()
    mine = _of_name(first, "/types?is_public=None", "volume_types", name)
    access = first.read("volume", f"/types/{mine['id']}/os-volume-type-access")

    tenant.cloud.delete("volume", f"/volumes/{volume}")
    until("gone", lambda: tenant.cloud.has("volume", f"/volumes/{volume}"), lambda there: not there)
    removed = tenant.admin.delete("volume", f"/types/{kind}")
    assert refused.status == 400
    assert (shown["id"], shown["is_public"]) == (kind, False)
    assert mine["extra_specs"] == {"my:a": "b"}
    assert [entry["project_id"] for entry in access["volume_type_access"]] == [project]
    assert removed.status == 202


def test_a_project_has_one_default_type_in_all_pods(tenant: Tenant, name: str) -> None:
    kind = _made(
        tenant.admin.post("volume", "/types", {"volume_type": {"name": name}}), "volume_type"
    )
    path = f"/default-types/{tenant.cloud.client.project_id}"

    body = {"default_type": {"volume_type": kind}}
    put = tenant.admin.put("volume", path, body, version="3.62")
    shown = tenant.admin.read("volume", path, version="3.62")["default_type"]
    gone = tenant.admin.delete("volume", path, version="3.62")

    tenant.admin.delete("volume", f"/types/{kind}")
    assert put.json["default_type"]["volume_type_id"] == kind
    assert shown["volume_type_id"] == kind
    assert gone.status == 204


@pytest.mark.parametrize(("service", "key"), [("compute", "cores"), ("volume", "volumes")])
def test_a_quota_is_the_same_in_every_pod_and_shown_once(
    tenant: Tenant, service: str, key: str
) -> None:
    path = f"/os-quota-sets/{tenant.cloud.client.project_id}"

    put = tenant.admin.put(service, path, {"quota_set": {key: 17}})
    shown = tenant.admin.read(service, path)["quota_set"][key]
    own = [pod.read(service, path)["quota_set"][key] for pod in tenant.direct_admin.values()]
    tenant.admin.delete(service, path)

    assert (put.status, shown, own) == (200, 17, [17, 17])


def test_a_pod_added_later_gets_what_exists_before_its_first_create(
    settings: Settings, pods: list[Pod], tenant: Tenant, tmp_path: Path, name: str
) -> None:
    first, second = tenant.direct_admin.values()
    with Gateway(settings, pods[:1], tmp_path, {}) as alone:
        admin = Cloud.at_gateway(tenant.admin.client, alone.url)
        private = _flavor(name, **{"os-flavor-access:is_public": False})
        flavor = _made(admin.post("compute", "/flavors", private), "flavor")
        specs = {"extra_specs": {"hw:numa_nodes": "1"}}
        admin.post("compute", f"/flavors/{flavor}/os-extra_specs", specs)
        grant = {"addTenantAccess": {"tenant": tenant.cloud.client.project_id}}
        admin.post("compute", f"/flavors/{flavor}/action", grant)
        qos = _made(admin.post("volume", "/qos-specs", {"qos_specs": {"name": name}}), "qos_specs")
        body = {"volume_type": {"name": name, "extra_specs": {"my:a": "b"}}}
        kind = _made(admin.post("volume", "/types", body), "volume_type")
        admin.get("volume", f"/qos-specs/{qos}/associate?vol_type_id={kind}")
        user = Cloud.at_gateway(tenant.cloud.client, alone.url)
        user.post("compute", "/os-keypairs", {"keypair": {"name": name}}, version="2.2")
    with Gateway(settings, pods, tmp_path, {}) as both:
        admin = Cloud.at_gateway(tenant.admin.client, both.url)
        user = Cloud.at_gateway(tenant.cloud.client, both.url)
        volume = until(
            "a volume in the new pod",
            lambda: user.post(
                "volume",
                "/volumes",
                {"volume": {"size": 1, "availability_zone": pods[1].zone, "volume_type": kind}},
            ),
            lambda answer: answer.status == 202,
        ).json["volume"]["id"]

        shown = second.read("compute", f"/flavors/{flavor}")["flavor"]
        [access] = second.read("compute", f"/flavors/{flavor}/os-flavor-access")["flavor_access"]
        mine = _of_name(second, "/types", "volume_types", name)
        assert shown["extra_specs"] == {"hw:numa_nodes": "1"}
        assert access["tenant_id"] == tenant.cloud.client.project_id
        assert mine["id"] != kind
        assert mine["extra_specs"] == {"my:a": "b"}
        assert mine["qos_specs_id"] == _of_name(second, "/qos-specs", "qos_specs", name)["id"]
        keys = [pod.read("compute", f"/os-keypairs/{name}") for pod in tenant.direct.values()]
        assert len({key["keypair"]["public_key"] for key in keys}) == 1

        user.wait_for_volume(volume)
        user.delete("volume", f"/volumes/{volume}")
        until("gone", lambda: user.has("volume", f"/volumes/{volume}"), lambda there: not there)
        admin.get("volume", f"/qos-specs/{qos}/disassociate_all")
        assert admin.delete("volume", f"/qos-specs/{qos}").status == 202
        assert admin.delete("volume", f"/types/{kind}").status == 202
        assert admin.delete("compute", f"/flavors/{flavor}").status == 202
        for pod in (first, second):
            assert name not in _names(pod, "/types", "volume_types")


def test_a_pod_added_later_is_told_quotas_and_default_types(
    settings: Settings, pods: list[Pod], tenant: Tenant, tmp_path: Path, name: str
) -> None:
    _, second = tenant.direct_admin.values()
    project = tenant.cloud.client.project_id
    quotas, default = f"/os-quota-sets/{project}", f"/default-types/{project}"
    with Gateway(settings, pods[:1], tmp_path, {}) as alone:
        admin = Cloud.at_gateway(tenant.admin.client, alone.url)
        kind = _made(admin.post("volume", "/types", {"volume_type": {"name": name}}), "volume_type")
        admin.put("compute", quotas, {"quota_set": {"cores": 19}})
        admin.put("volume", quotas, {"quota_set": {"volumes": 19}})
        body = {"default_type": {"volume_type": kind}}
        admin.put("volume", default, body, version="3.62")
    with Gateway(settings, pods, tmp_path, {}) as both:
        admin = Cloud.at_gateway(tenant.admin.client, both.url)
        typed = until(
            "the default type",
            lambda: second.get("volume", default, version="3.62"),
            lambda answer: answer.status == 200,
        ).json["default_type"]

        mine = _of_name(second, "/types", "volume_types", name)
        assert typed["volume_type_id"] == mine["id"] != kind
        assert second.read("compute", quotas)["quota_set"]["cores"] == 19
        until(
            "the quota",
            lambda: second.read("volume", quotas)["quota_set"]["volumes"],
            lambda volumes: volumes == 19,
        )
        for service, path, version in (
            ("volume", default, "3.62"),
            ("compute", quotas, ""),
            ("volume", quotas, ""),
        ):
            admin.delete(service, path, version=version)
        assert admin.delete("volume", f"/types/{kind}").status == 202
