"""Routed requests: same pod or 400, what ends, what goes to another project."""

import pytest

from control_plane.model.fleet import Fleet
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod, PodState
from control_plane.pods.client import PodRequest
from control_plane.pods.view import View
from tests.processor.envoy import POD1, POD2, VIEW, Envoy

HERE = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
THERE = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"
NEAR = "5a3e9d0c-6c2b-4a57-9f3e-000000000003"
SUBJECT = "5a3e9d0c-6c2b-4a57-9f3e-000000000004"


def knowing(subject: str, other: str, view: View = VIEW) -> Envoy:
    """Make an Envoy that knows a subject and two others, of which one is in another pod."""
    envoy = Envoy(view=view)
    envoy.store.rows[SUBJECT] = Owner(SUBJECT, subject, "Pod1", "a1b2")
    envoy.store.rows[NEAR] = Owner(NEAR, other, "Pod1", "a1b2")
    envoy.store.rows[THERE] = Owner(THERE, other, "Pod2", "a1b2")
    return envoy


@pytest.mark.parametrize(
    ("method", "path", "body", "subject", "other"),
    [
        (
            "POST",
            f"/compute/v2.1/servers/{SUBJECT}/os-interface",
            {"interfaceAttachment": {"port_id": "ID"}},
            "server",
            "port",
        ),
        (
            "PUT",
            f"/compute/v2.1/servers/{SUBJECT}/os-volume_attachments/{NEAR}",
            {"volumeAttachment": {"volumeId": "ID"}},
            "server",
            "volume",
        ),
        (
            "PUT",
            f"/volume/v3/groups/{SUBJECT}",
            {"group": {"add_volumes": f"{NEAR}, ID"}},
            "group",
            "volume",
        ),
        (
            "PUT",
            f"/volume/v3/groups/{SUBJECT}",
            {"group": {"remove_volumes": "ID"}},
            "group",
            "volume",
        ),
        (
            "PUT",
            f"/volume/v3/consistencygroups/{SUBJECT}",
            {"consistencygroup": {"add_volumes": "ID"}},
            "consistencygroup",
            "volume",
        ),
        (
            "PUT",
            f"/volume/v3/consistencygroups/{SUBJECT}/update",
            {"consistencygroup": {"add_volumes": "ID"}},
            "consistencygroup",
            "volume",
        ),
        (
            "POST",
            f"/volume/v3/backups/{SUBJECT}/restore",
            {"restore": {"volume_id": "ID"}},
            "backup",
            "volume",
        ),
        (
            "POST",
            "/volume/v3/attachments",
            {"attachment": {"volume_uuid": SUBJECT, "instance_uuid": "ID"}},
            "volume",
            "server",
        ),
        (
            "POST",
            "/volume/v3/backups",
            {"backup": {"volume_id": SUBJECT, "snapshot_id": "ID"}},
            "volume",
            "snapshot",
        ),
    ],
)
async def test_what_a_request_names_must_be_in_one_pod(
    method: str, path: str, body: dict[str, object], subject: str, other: str
) -> None:
    envoy = knowing(subject, other)
    version = "volume 3.70"

    def naming(resource_id: str) -> object:
        return {
            wrapper: {key: str(text).replace("ID", resource_id) for key, text in fields.items()}
            for wrapper, fields in body.items()  # type: ignore[attr-defined]
        }

    refused = await envoy.exchange(method, path, naming(THERE), openstack_api_version=version)
    passed = await envoy.exchange(method, path, naming(NEAR), openstack_api_version=version)

    message = refused.json["badRequest"]["message"]
    assert refused.status == 400
    assert "az1" in message
    assert "az2" in message
    assert "Pod" not in message
    assert passed.cluster.startswith("Pod1/")
    assert passed.sent is None


@pytest.mark.parametrize("there", [False, True])
async def test_what_a_bulk_create_names_must_be_in_one_pod(there: bool) -> None:  # noqa: FBT001
    envoy = knowing("network", "network")
    ports = [{"network_id": SUBJECT}, {"network_id": THERE if there else NEAR}]

    said = await envoy.exchange("POST", "/network/v2.0/ports", {"ports": ports})

    if there:
        assert said.status == 400
        assert "must be in the same zone" in said.json["NeutronError"]["message"]
    else:
        assert said.cluster == "Pod1/network"


@pytest.mark.parametrize("status", [202, 204])
async def test_a_delete_that_a_pod_agrees_to_ends_the_resource_and_keeps_its_owner(
    status: int,
) -> None:
    envoy = knowing("volume", "volume")
    path = f"/volume/v3/volumes/{SUBJECT}"

    await envoy.exchange("DELETE", path, answer=(409, {}))
    assert envoy.store.deleted == set()
    await envoy.exchange("DELETE", path, answer=(status, {}))

    assert envoy.store.deleted == {SUBJECT}
    assert (await envoy.exchange("GET", path)).cluster == "Pod1/volume"


@pytest.mark.parametrize(("token", "ends"), [("user", True), ("stranger", False), ("admin", True)])
async def test_a_404_ends_a_resource_only_for_those_who_would_see_it(
    token: str, *, ends: bool
) -> None:
    envoy = knowing("volume", "volume")
    envoy.keystone.tokens["stranger"] = {"member"}
    envoy.keystone.projects = {"stranger": "other", "admin": "elsewhere"}

    await envoy.exchange("GET", f"/volume/v3/volumes/{SUBJECT}", token=token, answer=(404, {}))

    assert (SUBJECT in envoy.store.deleted) is ends


async def test_a_404_below_a_resource_says_nothing_of_it() -> None:
    envoy = knowing("server", "volume")

    for below in (f"os-volume_attachments/{NEAR}", "metadata/key"):
        await envoy.exchange("DELETE", f"/compute/v2.1/servers/{SUBJECT}/{below}", answer=(404, {}))

    assert envoy.store.deleted == set()


async def test_an_accepted_transfer_gives_the_volume_and_binds_the_project() -> None:
    envoy = knowing("transfer", "volume")
    envoy.keystone.tokens["taker"] = {"member"}
    envoy.keystone.projects["taker"] = "other"
    path = f"/volume/v3/volume-transfers/{SUBJECT}/accept"
    answer = {"transfer": {"id": SUBJECT, "volume_id": NEAR}}

    said = await envoy.exchange(
        "POST", path, {"accept": {"auth_key": "k"}}, token="taker", answer=(202, answer)
    )

    assert said.cluster == "Pod1/volume"
    assert envoy.store.rows[NEAR].project_id == "other"
    bound = await envoy.store.bindings("other")
    assert [(entry.availability_zone, entry.pod_id) for entry in bound] == [("az1", POD1.id)]
    assert envoy.store.deleted == {SUBJECT}


async def test_a_transfer_nobody_may_see_is_found_by_the_gateway_itself() -> None:
    class Tokens:
        async def token(self) -> str:
            return "gateway"

    def hiding(pod: Pod, request: PodRequest) -> tuple[int, object]:
        shown = pod == POD2 and request.headers["x-auth-token"] == "gateway"
        return (200, {}) if shown and "/service/" in request.path else (404, {})

    envoy = Envoy(hiding, tokens=Tokens())
    envoy.keystone.tokens["gateway"] = {"admin"}
    envoy.keystone.projects["gateway"] = "service"

    said = await envoy.exchange(
        "POST", f"/volume/v3/os-volume-transfer/{SUBJECT}/accept", {"accept": {"auth_key": "k"}}
    )

    assert said.cluster == "Pod2/volume"


async def test_what_is_in_a_disabled_pod_is_503_with_retry_after() -> None:
    off = Pod(POD1.id, "Pod1", "az1", "inner1", state=PodState.DISABLED)
    envoy = knowing("volume", "volume", View(Fleet.of([off, POD2]), VIEW.facts))

    said = await envoy.exchange("GET", f"/volume/v3/volumes/{SUBJECT}")

    assert said.status == 503
    assert int(said.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "resource"),
    [
        ("GET", f"os-volumes/{SUBJECT}", None, "volume"),
        ("DELETE", f"os-snapshots/{SUBJECT}", None, "snapshot"),
        ("POST", "os-snapshots", {"snapshot": {"volume_id": SUBJECT}}, "volume"),
        ("GET", f"os-networks/{SUBJECT}", None, "network"),
        ("GET", f"os-tenant-networks/{SUBJECT}", None, "network"),
        ("DELETE", f"os-floating-ips/{SUBJECT}", None, "floatingip"),
        ("GET", f"os-security-groups/{SUBJECT}", None, "security_group"),
        ("PUT", f"os-security-groups/{SUBJECT}", {"security_group": {}}, "security_group"),
        (
            "POST",
            "os-security-group-rules",
            {"security_group_rule": {"parent_group_id": SUBJECT}},
            "security_group",
        ),
        ("DELETE", f"os-security-group-rules/{SUBJECT}", None, "security_group_rule"),
        ("GET", f"os-volumes_boot/{SUBJECT}", None, "server"),
    ],
)
async def test_novas_proxies_go_where_the_other_services_thing_is(
    method: str, path: str, body: object, resource: str
) -> None:
    envoy = knowing(resource, "volume")

    said = await envoy.exchange(method, f"/compute/v2.1/{path}", body)

    assert said.cluster == "Pod1/compute"
    assert envoy.pods.asked == []


async def test_a_proxy_is_404_beyond_its_last_version() -> None:
    said = await knowing("volume", "volume").exchange(
        "GET", f"/compute/v2.1/os-volumes/{SUBJECT}", openstack_api_version="compute 2.36"
    )

    assert said.status == 404


async def test_what_a_proxy_makes_is_recorded_as_the_other_services() -> None:
    envoy = Envoy()

    await envoy.exchange(
        "POST",
        "/compute/v2.1/os-volumes",
        {"volume": {"size": 1, "availability_zone": "az2"}},
        answer=(200, {"volume": {"id": SUBJECT, "availabilityZone": "inner2"}}),
    )

    assert envoy.store.rows[SUBJECT].resource == "volume"
    assert (await envoy.exchange("GET", f"/volume/v3/volumes/{SUBJECT}")).cluster == "Pod2/volume"


BOOT = "5a3e9d0c-6c2b-4a57-9f3e-000000000005"


@pytest.mark.parametrize(
    ("method", "rest", "answer"),
    [
        (
            "GET",
            "",
            {
                "server": {
                    "id": SUBJECT,
                    "tenant_id": "a1b2",
                    "os-extended-volumes:volumes_attached": [
                        {"id": BOOT, "delete_on_termination": True},
                        {"id": NEAR, "delete_on_termination": False},
                    ],
                }
            },
        ),
        ("GET", "/os-volume_attachments", {"volumeAttachments": [{"id": BOOT, "volumeId": BOOT}]}),
    ],
)
async def test_a_volume_that_a_servers_answer_shows_is_in_the_servers_pod(
    method: str, rest: str, answer: object
) -> None:
    envoy = knowing("server", "volume")

    await envoy.exchange(method, f"/compute/v2.1/servers/{SUBJECT}{rest}", answer=(200, answer))
    await envoy.cloud.later.finish()

    assert envoy.store.rows[BOOT].pod == "Pod1"
    assert envoy.store.rows[BOOT].resource == "volume"
    assert envoy.pods.asked == []


async def test_a_server_without_volumes_shows_none() -> None:
    envoy = knowing("server", "volume")
    shown = {"server": {"id": SUBJECT, "os-extended-volumes:volumes_attached": []}}

    await envoy.exchange("GET", f"/compute/v2.1/servers/{SUBJECT}", answer=(200, shown))
    await envoy.cloud.later.finish()

    assert set(envoy.store.rows) == {SUBJECT, NEAR, THERE}


@pytest.mark.parametrize(
    "path", ["/image/v2/images/x/file", "/compute/v2.1/servers", "/network/v2.0/no-such-thing"]
)
async def test_what_browsers_ask_before_they_send_is_for_any_pod_to_answer(path: str) -> None:
    said = await Envoy().exchange("OPTIONS", path, token="", origin="https://dashboard")

    service, _, below = path.removeprefix("/").partition("/")
    assert said.cluster.endswith(f"/{service}")
    assert said.routed[":path"].endswith(f"/{below}")
