"""What the processor says to Envoy, message by message."""

import json
from dataclasses import replace
from typing import Never

import pytest

from control_plane.model.binding import Binding
from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import Missing, StoreUnreachable
from control_plane.model.limits import LARGEST_BODY
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.pods.client import PodRequest
from tests.processor.envoy import Envoy

SERVER = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
VOLUME = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"


def knowing(resource_id: str, resource: str, pod: str) -> Envoy:
    """Make an Envoy whose store knows one owner; no pod is asked."""

    def nothing(_: Pod, request: PodRequest) -> tuple[int, object]:
        message = f"a pod was asked: {request}"
        raise AssertionError(message)

    envoy = Envoy(nothing)
    envoy.store.rows[resource_id] = Owner(resource_id, resource, pod, "a1b2")
    return envoy


async def test_a_known_id_is_routed_in_one_message_with_the_path_the_pod_expects() -> None:
    envoy = knowing(SERVER, "server", "Pod2")

    said = await envoy.exchange("GET", f"/compute/v2.1/servers/{SERVER}/metadata?a=b%20c")

    assert len(said.replies) == 1
    assert said.cluster == "Pod2/compute"
    assert said.routed[":path"] == f"/v2.1/servers/{SERVER}/metadata?a=b%20c"
    assert said.last.request_headers.response.clear_route_cache
    assert said.last.mode_override == pb.ProcessingMode()
    assert said.facts["pod"] == "Pod2"


async def test_utf_8_in_a_path_reaches_the_pod_as_utf_8() -> None:
    envoy = knowing(SERVER, "server", "Pod2")

    said = await envoy.exchange("GET", f"/compute/v2.1/servers/{SERVER}/metadata?a=é%20'/?b")

    assert said.routed[":path"] == f"/v2.1/servers/{SERVER}/metadata?a=%C3%A9%20'/?b"


async def test_the_same_resource_is_known_by_its_path_without_the_prefix() -> None:
    envoy = knowing(SERVER, "server", "Pod2")

    said = await envoy.exchange("DELETE", f"/v2.1/a1b2/servers/{SERVER}")

    assert said.cluster == "Pod2/compute"
    assert said.routed[":path"] == f"/v2.1/a1b2/servers/{SERVER}"


@pytest.mark.parametrize("header", ["x-trio2o-seen", "x-trio2o-early-seen"])
@pytest.mark.parametrize("prefix", ["", "/compute", "/nova/api"])
async def test_a_path_that_the_owner_cache_put_into_a_lost_pods_words_is_understood(
    prefix: str, header: str
) -> None:
    envoy = knowing(SERVER, "server", "Pod2")
    there = envoy.registry.view.facts["Pod2"]
    endpoints = {**there.endpoints, "compute": Endpoint("http", "10.0.0.2", 80, prefix)}
    facts = {**envoy.registry.view.facts, "Pod2": replace(there, endpoints=endpoints)}
    envoy.registry.view = replace(envoy.registry.view, facts=facts)
    below = f"/v2.1/servers/{SERVER}/metadata?a=b"

    said = await envoy.exchange("GET", prefix + below, **{header: "Pod2/compute"})

    assert said.cluster == "Pod2/compute"
    assert said.routed[":path"] == prefix + below


async def test_a_show_is_translated_field_by_field_and_keeps_everything_else() -> None:
    envoy = knowing(VOLUME, "volume", "Pod2")
    volume = {
        "id": VOLUME,
        "availability_zone": "inner2",
        "metadata": {"availability_zone": "inner2", "n": "1.50"},
        "links": [{"rel": "self", "href": f"http://gateway:8080/v3/a1b2/volumes/{VOLUME}"}],
    }

    said = await envoy.exchange(
        "GET", f"/volume/v3/a1b2/volumes/{VOLUME}", answer=(200, {"volume": volume})
    )

    body = json.loads(said.last.response_body.response.body_mutation.body)
    assert body == {"volume": {**volume, "availability_zone": "az2"}}


async def test_a_client_that_accepts_gzip_gets_none_where_the_answer_must_be_read() -> None:
    envoy = knowing(VOLUME, "volume", "Pod2")

    said = await envoy.exchange(
        "GET", f"/volume/v3/volumes/{VOLUME}", accept_encoding="gzip", answer=(404, {})
    )

    removed = said.replies[0].request_headers.response.header_mutation.remove_headers
    assert "accept-encoding" in removed


@pytest.mark.parametrize(
    ("token", "path", "body"),
    [
        ("bad", "/compute/v2.1/servers", {"server": {}}),
        ("", "/compute/v2.1/servers", {"server": {}}),
        ("bad", "/compute/v2.1/servers/detail", None),
        ("bad", "/volume/v3/volumes/detail", None),
        ("", "/compute/v2.1/nothing", None),
        ("bad", "/network/v2.0/nothing", None),
    ],
)
async def test_a_bad_token_is_401_before_a_body_is_read(
    token: str, path: str, body: object
) -> None:
    said = await Envoy().exchange("POST" if body else "GET", path, body, token=token)

    assert len(said.replies) == 1
    assert said.status == 401
    assert said.headers["www-authenticate"] == 'Keystone uri="http://keystone:5000/v3"'
    assert said.json["error"]["code"] == 401
    assert "openstack-api-version" not in said.headers


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_400(body: bytes) -> None:
    said = await Envoy().exchange("POST", "/compute/v2.1/servers", body)

    assert said.status == 400
    assert said.json["badRequest"]["code"] == 400


@pytest.mark.parametrize(
    ("path", "content_type", "status", "words"),
    [
        ("/compute/v2.1/servers", "application/json", 400, "Malformed request body"),
        ("/compute/v2.1/servers", "text/plain", 400, "Malformed request body"),
        ("/compute/v2.1/servers", "application/xml", 415, "Unsupported Content-Type"),
        ("/volume/v3/a1b2/volumes", "application/json", 400, "Malformed request body"),
        ("/volume/v3/a1b2/volumes", "text/plain", 415, "Unsupported Content-Type"),
        ("/network/v2.0/networks", "text/plain", 400, "Body contains invalid data"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_in_the_words_of_the_service(
    path: str, content_type: str, status: int, words: str
) -> None:
    said = await Envoy().exchange("POST", path, b"{", content_type=content_type)

    assert said.status == status
    assert words in str(said.json)


async def test_a_pod_refuses_a_limit_that_is_no_count_in_its_own_words() -> None:
    said = await Envoy(_not_a_count).exchange("GET", "/compute/v2.1/flavors?limit=x")

    assert (said.status, said.json) == (
        400,
        {"badRequest": {"message": "'x' does not match '^[0-9]*$'"}},
    )


def _not_a_count(_: Pod, __: PodRequest) -> tuple[int, object]:
    return 400, {"badRequest": {"message": "'x' does not match '^[0-9]*$'"}}


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
async def test_a_body_that_was_not_measured_is_read_as_far_as_it_is_held(size: int) -> None:
    head, tail = b'{"volume": {"size": 1, "name": "', b'"}}'
    body = head + b"x" * (size - len(head) - len(tail)) + tail

    said = await Envoy().exchange(
        "POST", "/volume/v3/a1b2/volumes", body, answer=(202, {}), transfer_encoding="chunked"
    )

    assert said.replies[0].mode_override.request_body_mode == pb.ProcessingMode.BUFFERED_PARTIAL
    assert said.replies[0].request_headers.response.clear_route_cache
    if size > LARGEST_BODY:
        assert (said.status, said.json["overLimit"]["code"]) == (413, 413)
    else:
        assert not said.replies[1].request_body.response.clear_route_cache


async def test_a_create_reaches_the_pod_byte_for_byte_when_nothing_must_be_translated() -> None:
    body = b'{"volume" : {"size":1,  "metadata": {"price": "1.50"}, "odd": 1.0}}'

    said = await Envoy().exchange("POST", "/volume/v3/a1b2/volumes", body, answer=(202, {}))

    assert not said.replies[1].request_body.response.HasField("body_mutation")
    assert said.cluster in {"Pod1/volume", "Pod2/volume"}


async def test_a_create_carries_the_pods_zone_and_is_recorded_before_the_client_knows() -> None:
    envoy = Envoy(lambda _pod, _request: (200, {}))
    server = {"name": "n", "availability_zone": "az2", "user_data": "eA==", "x": {"y": [1.5, None]}}

    said = await envoy.exchange(
        "POST",
        "/compute/v2.1/servers",
        {"server": server},
        answer=(202, {"server": {"id": SERVER}}),
    )

    sent = json.loads(said.replies[1].request_body.response.body_mutation.body)
    assert sent == {"server": {**server, "availability_zone": "inner2"}}
    assert said.cluster == "Pod2/compute"
    raw = said.replies[1].request_body.response.body_mutation.body
    assert said.routed["content-length"] == str(len(raw))
    assert envoy.store.rows[SERVER].pod == "Pod2"
    assert [entry.pod_id for entry in envoy.store.bound] == ["id-2"]


async def test_an_unknown_zone_is_400_in_the_form_of_the_service() -> None:
    for path, key in (("/compute/v2.1/servers", "server"), ("/volume/v3/volumes", "volume")):
        said = await Envoy().exchange("POST", path, {key: {"availability_zone": "nowhere"}})

        assert said.status == 400
        assert "nowhere" in said.json["badRequest"]["message"]


async def test_attaching_across_zones_is_400_and_names_both_zones_and_no_pod() -> None:
    envoy = knowing(SERVER, "server", "Pod1")
    envoy.store.rows[VOLUME] = Owner(VOLUME, "volume", "Pod2", "a1b2")

    said = await envoy.exchange(
        "POST",
        f"/compute/v2.1/servers/{SERVER}/os-volume_attachments",
        {"volumeAttachment": {"volumeId": VOLUME}},
    )

    message = said.json["badRequest"]["message"]
    assert said.status == 400
    assert "az1" in message
    assert "az2" in message
    assert "Pod" not in message


async def test_an_id_no_pod_has_goes_to_a_pod_that_says_so_itself() -> None:
    said = await Envoy().exchange("GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.cluster.endswith("/compute")
    assert said.facts["decision"] == "nowhere"


async def _gone(*_: object, **__: object) -> Never:
    raise StoreUnreachable(ConnectionRefusedError("db.example:5432"))


async def test_pods_are_asked_for_what_they_have_while_the_database_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy = Envoy(lambda pod, _: (200 if pod.name == "Pod2" else 404, {"server": {}}))
    for name in ("pods_of", "has_shadows", "record"):
        monkeypatch.setattr(envoy.store, name, _gone)

    first = await envoy.exchange("GET", f"/compute/v2.1/servers/{SERVER}/metadata")
    asked = len(envoy.pods.asked)
    again = await envoy.exchange("GET", f"/compute/v2.1/servers/{SERVER}/metadata")

    assert first.cluster == again.cluster == "Pod2/compute"
    assert (asked, len(envoy.pods.asked)) == (2, 2)


async def test_what_no_pod_has_is_404_also_while_the_database_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy = Envoy()
    monkeypatch.setattr(envoy.store, "pods_of", _gone)

    said = await envoy.exchange("GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.facts["decision"] == "nowhere"


async def test_what_the_database_must_be_asked_for_is_503_while_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy = Envoy()
    monkeypatch.setattr(envoy.store, "bindings", _gone)

    said = await envoy.exchange("POST", "/compute/v2.1/servers", {"server": {"name": "a"}})

    assert said.status == 503
    assert said.headers["retry-after"] == "5"
    assert "db.example" not in str(said.json)


async def test_a_create_whose_pod_is_taken_out_at_that_moment_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy = Envoy()

    async def gone(*_: str) -> Binding:
        message = "no pod with the id id-1"
        raise Missing(message)

    monkeypatch.setattr(envoy.store, "bind", gone)

    said = await envoy.exchange("POST", "/volume/v3/a1b2/volumes", {"volume": {"size": 1}})

    assert said.status == 503
    assert "id-1" not in str(said.json)


async def test_an_id_that_may_be_in_a_silent_pod_is_503_with_retry_after() -> None:
    def script(pod: Pod, _: PodRequest) -> tuple[int, object] | None:
        return (404, {}) if pod.name == "Pod1" else None

    said = await Envoy(script).exchange("GET", f"/compute/v2.1/servers/{SERVER}")

    assert said.status == 503
    assert int(said.headers["retry-after"]) > 0
    assert said.json["serviceUnavailable"]["code"] == 503


async def test_what_is_not_handled_is_501_in_the_form_of_the_service() -> None:
    said = await Envoy().exchange("GET", "/network/v2.0/quotas")

    assert said.status == 501
    assert "NeutronError" in said.json


async def test_unknown_paths_and_methods_are_404_and_405() -> None:
    assert (await Envoy().exchange("GET", "/compute/v2.1/nothing")).status == 404
    assert (await Envoy().exchange("GET", "/elsewhere")).status == 404
    refused = await Envoy().exchange("PUT", "/image/v2/images")
    assert refused.status == 405
    assert "GET" in refused.headers["allow"]


async def test_the_routers_of_nova_and_cinder_say_404_with_a_page() -> None:
    for path in (f"/compute/v2.1/servers/{SERVER}", "/volume/v3/volumes"):
        refused = await Envoy().exchange("PATCH", path, accept="*/*")

        assert refused.status == 404
        assert refused.headers["content-type"] == "text/html; charset=UTF-8"


async def test_a_version_no_pod_shares_is_406_and_latest_is_a_number_on_the_way() -> None:
    envoy = knowing(SERVER, "server", "Pod1")
    path = f"/compute/v2.1/servers/{SERVER}"

    latest = await envoy.exchange("GET", path, openstack_api_version="compute latest")
    beyond = await envoy.exchange("GET", path, openstack_api_version="compute 2.97")

    assert latest.routed["openstack-api-version"] == "compute 2.96"
    assert beyond.status == 406


async def test_only_an_administrator_who_asks_is_told_of_pods() -> None:
    envoy = knowing(SERVER, "server", "Pod1")
    path = f"/compute/v2.1/servers/{SERVER}/metadata"

    for token, told in (("admin", True), ("user", False)):
        said = await envoy.exchange(
            "GET", path, token=token, answer=(200, {}), x_trio2o_explain="1"
        )
        changed = {
            header.header.key: header.header.raw_value.decode()
            for header in said.last.response_headers.response.header_mutation.set_headers
        }
        assert (changed.get("x-trio2o-pod") == "Pod1") is told


async def test_a_list_is_merged_and_says_what_is_missing() -> None:
    def script(pod: Pod, _: PodRequest) -> tuple[int, object] | None:
        if pod.name == "Pod2":
            return None
        return (200, {"servers": [{"id": SERVER, "created": "2026-01-01T00:00:00Z"}]})

    said = await Envoy(script).exchange("GET", "/compute/v2.1/servers/detail")

    assert said.status == 200
    assert [server["id"] for server in said.json["servers"]] == [SERVER]
    assert said.headers["x-trio2o-missing"] == "az2"


async def test_a_large_list_is_streamed() -> None:
    servers = [
        {"id": f"{number:036d}", "created": "2026-01-01T00:00:00Z", "pad": "x" * 2000}
        for number in range(400)
    ]

    def script(pod: Pod, _: PodRequest) -> tuple[int, object]:
        return (200, {"servers": servers if pod.name == "Pod1" else []})

    said = await Envoy(script).exchange("GET", "/compute/v2.1/servers/detail")

    parts = [reply.streamed_immediate_response for reply in said.replies]
    body = b"".join(part.body_response.body for part in parts)
    assert len(parts) > 2
    assert parts[-1].body_response.end_of_stream
    assert [server["id"] for server in json.loads(body)["servers"]] == [s["id"] for s in servers]


async def test_a_stream_that_ends_early_is_no_error() -> None:
    envoy = Envoy()

    said = await envoy.exchange("POST", "/volume/v3/volumes", {"volume": {"size": 1}})

    assert len(said.replies) == 2  # the pod's answer never came


async def test_a_failure_while_an_answer_is_seen_does_not_take_it_from_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envoy = knowing(VOLUME, "volume", "Pod2")
    monkeypatch.setattr(
        "control_plane.handlers.translate.Translation.body",
        lambda *_: json.loads("not JSON"),
    )

    said = await envoy.exchange(
        "GET", f"/volume/v3/volumes/{VOLUME}", answer=(200, {"volume": {"id": VOLUME}})
    )

    assert said.last.HasField("response_body")
    assert not said.last.response_body.response.HasField("body_mutation")


async def test_a_body_larger_than_envoy_buffers_is_not_waited_for() -> None:
    said = await Envoy().exchange(
        "POST", "/compute/v2.1/servers", b"{}", content_length=str(2 << 20)
    )

    assert said.status == 413
    assert len(said.replies) == 1
