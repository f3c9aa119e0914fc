"""Administration as REST, in Trio2o's form."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer

from control_plane.administration.rest import application
from control_plane.model.owner import Owner
from tests.administration.stand_in import ADMIN, MEMBER, StandIn

POD = {"pod_name": "Pod1", "az_name": "az1", "pod_az_name": "nova", "dc_name": "dc1"}


@pytest.fixture
async def client(stand_in: StandIn) -> AsyncIterator[Any]:
    server = TestServer(application(stand_in.administration, "http://keystone:5000/v3"))
    async with TestClient(server, headers={"X-Auth-Token": ADMIN}) as client:
        yield client


async def _create(client: Any, **changed: str) -> dict[str, str]:
    answer = await client.post("/v1.0/pods", json={"pod": {**POD, **changed}})
    assert answer.status == 200, await answer.text()
    created: dict[str, str] = (await answer.json())["pod"]
    return created


async def _fault(answer: Any, status: int) -> str:
    body = await answer.json()
    assert (answer.status, body["error"]["code"]) == (status, status)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    return str(body["error"]["message"])


async def test_versions_are_shown_to_anyone(client: Any) -> None:
    root = await (await client.get("/", headers={"X-Auth-Token": ""})).json()
    version = await (await client.get("/v1.0", headers={"X-Auth-Token": ""})).json()

    assert root["versions"][0]["id"] == "v1.0"
    assert root["versions"][0]["status"] == "CURRENT"
    assert [link["href"].rpartition("/")[2] for link in version["links"]] == [
        "v1.0",
        "pods",
        "bindings",
    ]


async def test_a_token_is_needed(client: Any) -> None:
    for path in ("/v1.0/pods", "/v1.0/bindings/1", "/v1.0/nothing"):
        answer = await client.get(path, headers={"X-Auth-Token": ""})

        await _fault(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://keystone:5000/v3"'


async def test_the_admin_role_is_needed(client: Any) -> None:
    answer = await client.post("/v1.0/pods", json={"pod": POD}, headers={"X-Auth-Token": MEMBER})

    assert "admin" in await _fault(answer, 403)


async def test_a_pod_is_created_and_shown(client: Any, stand_in: StandIn) -> None:
    created = await _create(client)

    shown = await (await client.get(f"/v1.0/pods/{created['pod_id']}")).json()
    listed = await (await client.get("/v1.0/pods")).json()

    assert created == {**POD, "pod_id": created["pod_id"]}
    assert shown == {"pod": created}
    assert listed == {"pods": [created]}
    assert stand_in.changes == 1


async def test_a_slash_at_the_end_is_nothing(client: Any) -> None:
    assert await (await client.get("/v1.0/pods/")).json() == {"pods": []}


async def test_lists_are_filtered(client: Any) -> None:
    await _create(client)
    two = await _create(client, pod_name="Pod2", az_name="az2")

    found = await (await client.get("/v1.0/pods?az_name=az2")).json()

    assert found == {"pods": [two]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('{"pods": {}}', 400),
        ('{"pod": []}', 400),
        ('{"pod": {"az_name": "az1"}}', 422),
        ('{"pod": {"pod_name": " ", "az_name": "az1"}}', 422),
        ('{"pod": {"pod_name": "Pod1"}}', 422),
        ('{"pod": {"pod_name": "Pod1", "az_name": ""}}', 422),
        ('{"pod": {"pod_name": 7, "az_name": "az1"}}', 422),
    ],
)
async def test_what_is_no_pod_is_refused(client: Any, body: str, status: int) -> None:
    await _fault(await client.post("/v1.0/pods", data=body), status)


async def test_a_second_pod_of_a_name_conflicts(client: Any) -> None:
    await _create(client)

    answer = await client.post("/v1.0/pods", json={"pod": {**POD, "az_name": "az2"}})

    assert "Pod1" in await _fault(answer, 409)


async def test_a_pod_is_changed_in_the_fields_given(client: Any, stand_in: StandIn) -> None:
    created = await _create(client)
    await stand_in.administration.apply(
        [{"name": "Pod1", "availability_zone": "az1", "weight": 7, "labels": {"a": "b"}}]
    )

    answer = await client.put(
        f"/v1.0/pods/{created['pod_id']}", json={"pod": {"dc_name": "dc2", "pod_name": "Pod1"}}
    )

    assert answer.status == 200
    assert (await answer.json())["pod"]["dc_name"] == "dc2"
    pod = await stand_in.administration.pod("Pod1")
    assert (pod.weight, pod.labels, pod.data_center) == (7, {"a": "b"}, "dc2")


async def test_a_name_never_changes(client: Any) -> None:
    created = await _create(client)

    answer = await client.put(f"/v1.0/pods/{created['pod_id']}", json={"pod": {"pod_name": "x"}})

    await _fault(answer, 422)


async def test_a_pod_is_deleted(client: Any) -> None:
    created = await _create(client)

    answer = await client.delete(f"/v1.0/pods/{created['pod_id']}")

    assert answer.status == 200
    await _fault(await client.get(f"/v1.0/pods/{created['pod_id']}"), 404)


async def test_a_pod_that_owns_resources_is_deleted_only_by_force(
    client: Any, stand_in: StandIn
) -> None:
    created = await _create(client)
    await stand_in.store.record([Owner("1", "server", "Pod1")])

    refused = await client.delete(f"/v1.0/pods/{created['pod_id']}")
    forced = await client.delete(f"/v1.0/pods/{created['pod_id']}?force=true")

    assert "1 resources" in await _fault(refused, 409)
    assert forced.status == 200


@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_a_pod_that_is_not_there_is_404(client: Any, method: str) -> None:
    answer = await getattr(client, method)("/v1.0/pods/nowhere", json={"pod": {}})

    await _fault(answer, 404)


async def test_a_binding_is_created_shown_filtered_and_deleted(client: Any) -> None:
    pod_id = (await _create(client))["pod_id"]
    body = {"pod_binding": {"tenant_id": "a", "pod_id": pod_id}}

    answer = await client.post("/v1.0/bindings", json=body)
    created = (await answer.json())["pod_binding"]
    shown = await (await client.get(f"/v1.0/bindings/{created['id']}")).json()
    of_a = await (await client.get("/v1.0/bindings?tenant_id=a")).json()
    of_b = await (await client.get("/v1.0/bindings?tenant_id=b")).json()
    again = await client.post("/v1.0/bindings", json=body)
    deleted = await client.delete(f"/v1.0/bindings/{created['id']}")

    assert answer.status == 200
    assert set(created) == {"id", "tenant_id", "pod_id", "created_at", "updated_at"}
    assert (created["tenant_id"], created["pod_id"]) == ("a", pod_id)
    assert shown == {"pod_binding": created}
    assert of_a == {"pod_bindings": [created]}
    assert of_b == {"pod_bindings": []}
    await _fault(again, 409)
    assert deleted.status == 200
    await _fault(await client.get(f"/v1.0/bindings/{created['id']}"), 404)
    await _fault(await client.delete(f"/v1.0/bindings/{created['id']}"), 404)


@pytest.mark.parametrize(
    "binding", [{}, {"tenant_id": "a"}, {"tenant_id": "", "pod_id": "1"}, {"pod_id": "1"}]
)
async def test_a_binding_needs_a_project_and_a_pod(client: Any, binding: dict[str, str]) -> None:
    await _fault(await client.post("/v1.0/bindings", json={"pod_binding": binding}), 422)


async def test_a_binding_to_a_pod_that_is_not_there_is_refused(client: Any) -> None:
    body = {"pod_binding": {"tenant_id": "a", "pod_id": "nowhere"}}

    await _fault(await client.post("/v1.0/bindings", json=body), 422)


async def test_unknown_paths_and_methods_have_the_same_form(client: Any) -> None:
    refused = await client.patch("/v1.0/pods")

    await _fault(await client.get("/v1.0/nothing"), 404)
    await _fault(refused, 405)
    assert "GET" in refused.headers["Allow"]


async def test_what_nobody_foresaw_is_500_and_tells_nothing(client: Any, stand_in: StandIn) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    stand_in.administration._on_change = fail

    answer = await client.post("/v1.0/pods", json={"pod": POD})

    assert await _fault(answer, 500) == "Internal Server Error"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"[" * 100_000, "application/json"), (b"{}", "application/json; charset=nothing")],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(
    client: Any, content: bytes, kind: str
) -> None:
    answer = await client.post("/v1.0/pods", data=content, headers={"Content-Type": kind})

    assert "not JSON" in await _fault(answer, 400)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a" * 256])
async def test_what_no_database_can_keep_is_refused(client: Any, text: str) -> None:
    pod = await _create(client)
    bodies = {
        "pods": {"pod": {"pod_name": "Pod2", "az_name": text}},
        "bindings": {"pod_binding": {"tenant_id": text, "pod_id": pod["pod_id"]}},
    }

    for path, body in bodies.items():
        await _fault(await client.post(f"/v1.0/{path}", json=body), 422)
    await _fault(await client.get("/v1.0/bindings/%00"), 404)
    await _fault(await client.delete("/v1.0/bindings/%00"), 404)


async def test_who_changed_what_is_logged_and_reads_are_not(client: Any) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.get("/v1.0/pods")
        await client.post("/v1.0/pods", json={"pod": POD})

    (entry,) = logs
    assert (entry["event"], entry["user"]) == ("administered", "user")
    assert (entry["method"], entry["path"]) == ("POST", "/v1.0/pods")
