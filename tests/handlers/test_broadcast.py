"""Writes for all pods and reads of their copies, as a client sees them."""

import json
from typing import Any

import pytest

from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.processor.envoy import Envoy, Said, Script

FLAVOR = {"flavor": {"name": "tiny", "ram": 1, "disk": 0, "vcpus": 1}}


def echo(pod: Pod, request: PodRequest) -> tuple[int, Any]:
    """Say back what was sent, with an id if it has none."""
    body = json.loads(request.body) if request.body else {}
    for item in body.values():
        item.setdefault("id", f"own-{pod.name}")
    return 200, body


async def _ask(envoy: Envoy, method: str, path: str, body: Any = None, **headers: str) -> Said:
    headers.setdefault("content_type", "application/json")
    return await envoy.exchange(method, path, body, token="admin", **headers)


def _paths(envoy: Envoy, method: str) -> list[tuple[str, str]]:
    return [(pod, request.path) for pod, request in envoy.pods.asked if request.method == method]


@pytest.mark.parametrize("given", [{}, {"id": None}])
async def test_a_flavor_without_an_id_gets_one_for_all_pods(given: dict[str, None]) -> None:
    envoy = Envoy(echo)

    said = await _ask(
        envoy, "POST", "/compute/v2.1/flavors", {"flavor": {**FLAVOR["flavor"], **given}}
    )

    sent = [json.loads(request.body or b"")["flavor"]["id"] for _, request in envoy.pods.asked]
    assert said.status == 200
    assert len(set(sent)) == 1
    assert len(sent) == 2
    assert said.json["flavor"]["id"] == sent[0]


async def test_a_flavors_own_id_is_kept() -> None:
    envoy = Envoy(echo)

    said = await _ask(
        envoy, "POST", "/compute/v2.1/flavors", {"flavor": {**FLAVOR["flavor"], "id": "42"}}
    )

    assert said.json["flavor"]["id"] == "42"


async def test_a_silent_pods_zone_is_named() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        return echo(pod, request) if pod.name == "Pod1" else None

    said = await _ask(Envoy(script), "POST", "/compute/v2.1/flavors", FLAVOR)

    assert said.status == 200
    assert said.headers["x-trio2o-missing"] == "az2"


async def test_a_body_that_is_no_json_is_refused_before_any_pod_is_asked() -> None:
    envoy = Envoy(echo)

    said = await _ask(envoy, "POST", "/compute/v2.1/flavors", b"{not json")

    assert said.status == 400
    assert envoy.pods.asked == []


async def test_a_refusal_is_the_pods_own() -> None:
    no = {"forbidden": {"code": 403, "message": "policy says no"}}

    said = await _ask(Envoy(lambda _pod, _request: (403, no)), "DELETE", "/compute/v2.1/flavors/42")

    assert (said.status, said.json) == (403, no)


async def _with_type(script: Script) -> Envoy:
    envoy = Envoy(script)
    await envoy.cloud.copies.record("volume_type", "gold", {"Pod1": "one", "Pod2": "two"})
    return envoy


async def test_a_type_is_shown_with_the_users_id_when_its_first_pod_is_silent() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        if pod.name == "Pod1":
            return None
        return 200, {"volume_type": {"id": "two", "name": "gold", "qos_specs_id": None}}

    envoy = await _with_type(script)
    said = await _ask(envoy, "GET", "/volume/v3/types/one")

    assert said.json["volume_type"]["id"] == "one"
    assert _paths(envoy, "GET")[-1] == ("Pod2", "/v3/types/two")


async def test_a_type_that_one_pod_lacks_is_shown_by_the_other() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        if pod.name == "Pod1":
            return 404, {"itemNotFound": {"code": 404, "message": "gone"}}
        return 200, {"extra_specs": {"a": "b"}}

    envoy = await _with_type(script)
    said = await _ask(envoy, "GET", "/volume/v3/types/one/extra_specs")

    assert said.json == {"extra_specs": {"a": "b"}}


@pytest.mark.parametrize("key", ["", "/encryption_id"])
async def test_an_encryption_has_one_id_whichever_pod_answers(key: str) -> None:
    silent: set[str] = set()

    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        if pod.name in silent:
            return None
        kind = request.path.split("/")[3]
        whole = {"volume_type_id": kind, "encryption_id": f"of-{pod.name}", "provider": "luks"}
        return 200, {"encryption_id": whole["encryption_id"]} if key else whole

    envoy = await _with_type(script)
    first = await _ask(envoy, "GET", f"/volume/v3/types/one/encryption{key}")
    silent.add("Pod1")
    second = await _ask(envoy, "GET", f"/volume/v3/types/one/encryption{key}")

    assert first.json == second.json
    assert first.json["encryption_id"] not in {"of-Pod1", "of-Pod2"}


async def test_a_new_encryption_is_shown_with_the_id_it_keeps() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        body = json.loads(request.body) if request.body else {"encryption": {}}
        body["encryption"]["encryption_id"] = f"of-{pod.name}"
        return 200, body if request.body else body["encryption"]

    envoy = await _with_type(script)
    path = "/volume/v3/types/one/encryption"
    made = await _ask(envoy, "POST", path, {"encryption": {"provider": "luks"}})
    read = await _ask(envoy, "GET", path)

    assert made.json["encryption"]["encryption_id"] == read.json["encryption_id"]


async def test_a_type_that_only_a_silent_pod_may_have_is_503() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        return None if pod.name == "Pod1" else (404, {})

    said = await _ask(Envoy(script), "GET", "/volume/v3/types/unknown")

    assert said.status == 503


async def test_ids_in_a_query_are_those_of_the_pod() -> None:
    envoy = await _with_type(lambda _pod, _request: (202, None))
    await envoy.cloud.copies.record("qos_spec", "fast", {"Pod1": "q1", "Pod2": "q2"})

    said = await _ask(envoy, "GET", "/volume/v3/qos-specs/q1/associate?vol_type_id=one")

    assert said.status == 202
    assert [entry for entry in _paths(envoy, "GET") if "associate" in entry[1]] == [
        ("Pod1", "/v3/qos-specs/q1/associate?vol_type_id=one"),
        ("Pod2", "/v3/qos-specs/q2/associate?vol_type_id=two"),
    ]


async def test_ids_in_a_body_and_its_answer_are_the_users() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        if request.method == "GET":
            return 404, {"itemNotFound": {"code": 404, "message": "none"}}
        kind = json.loads(request.body or b"")["default_type"]["volume_type"]
        return 200, {"default_type": {"project_id": "p", "volume_type_id": kind}}

    envoy = await _with_type(script)
    said = await _ask(
        envoy,
        "PUT",
        "/volume/v3/default-types/p",
        {"default_type": {"volume_type": "one"}},
        openstack_api_version="volume 3.62",
    )

    sent = [json.loads(request.body) for _, request in envoy.pods.asked if request.body]
    assert [body["default_type"]["volume_type"] for body in sent] == ["one", "two"]
    assert said.json["default_type"]["volume_type_id"] == "one"


async def test_answers_of_a_command_for_all_services_are_put_together() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        return 200, {"log_levels": [{"binary": "cinder-volume", "host": f"host-{pod.name}"}]}

    said = await _ask(
        Envoy(script),
        "PUT",
        "/volume/v3/os-services/get-log",
        {"binary": "cinder-volume"},
        openstack_api_version="volume 3.32",
    )

    assert [entry["binary"] for entry in said.json["log_levels"]] == ["cinder-volume"] * 2


async def test_a_command_that_only_one_pod_understands_is_done() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        if pod.name == "Pod1":
            return 400, {"badRequest": {"code": 400, "message": "no such resource"}}
        return 202, {"cleaning": [{"id": 1}], "unavailable": []}

    said = await _ask(
        Envoy(script),
        "POST",
        "/volume/v3/workers/cleanup",
        {"resource_id": "x"},
        openstack_api_version="volume 3.24",
    )

    assert said.status == 202
    assert said.json["unavailable"] == []
    assert len(said.json["cleaning"]) == 1


async def test_a_key_pair_is_shown_whichever_pod_has_it() -> None:
    shown = {"keypair": {"name": "k"}}
    found = Envoy(lambda pod, _: (200, shown) if pod.name == "Pod2" else (404, {}))

    said = await found.exchange("GET", "/compute/v2.1/os-keypairs/k")

    assert said.json == shown


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_quotas_of_networks_are_written_in_all_pods(method: str) -> None:
    envoy = Envoy(lambda _pod, _request: (200, {"quota": {"network": 5}}))
    body = {"quota": {"network": 5}} if method == "PUT" else None

    said = await _ask(envoy, method, "/network/v2.0/quotas/a1b2", body)

    assert said.status == 200
    told = _paths(envoy, method)
    assert sorted(pod for pod, _ in told) == ["Pod1", "Pod2"]
    assert all(path.endswith("/v2.0/quotas/a1b2") for _, path in told)


@pytest.mark.parametrize("path", ["service-providers", "qos/rule-types"])
async def test_what_all_networks_can_do_one_pod_says(path: str) -> None:
    envoy = Envoy(echo)

    said = await _ask(envoy, "GET", f"/network/v2.0/{path}")

    assert said.cluster == "Pod1/network"
    assert envoy.pods.asked == []


async def test_definitions_of_metadata_are_written_in_all_pods_as_they_are() -> None:
    envoy = Envoy(lambda _pod, request: (201, json.loads(request.body or b"{}")))
    body = {"namespace": "OS::Own", "visibility": "public"}

    said = await _ask(envoy, "POST", "/image/v2/metadefs/namespaces", body)

    assert (said.status, said.json["namespace"]) == (201, "OS::Own")
    assert {pod for pod, _ in _paths(envoy, "POST")} == {"Pod1", "Pod2"}


async def test_a_namespace_that_one_pod_refuses_is_taken_out_of_the_others() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any]:
        if request.method == "DELETE":
            return 204, None
        return (201, json.loads(request.body or b"{}")) if pod.name == "Pod1" else (409, {})

    envoy = Envoy(script)

    said = await _ask(envoy, "POST", "/image/v2/metadefs/namespaces", {"namespace": "OS::Own"})

    assert said.status == 409
    assert _paths(envoy, "DELETE") == [("Pod1", "/v2/metadefs/namespaces/OS%3A%3AOwn")]


async def test_tags_that_are_to_be_added_are_added_in_all_pods() -> None:
    envoy = Envoy(echo)

    await _ask(
        envoy,
        "POST",
        "/image/v2/metadefs/namespaces/OS::Own/tags",
        {"tags": {"name": "one"}},
        x_openstack_append="True",
    )

    told = [request.headers["x-openstack-append"] for _, request in envoy.pods.asked]
    assert told == ["True", "True"]
