"""A batch of events about servers of several pods."""

import json
from typing import Any

from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.handlers.two_pods import Answer, envoy, sent
from tests.processor.envoy import Envoy, Said

PATH = "/compute/v2.1/os-server-external-events"
OWNERS = {"a": "Pod1", "b": "Pod2", "c": "Pod1"}


def event(server: str, name: str = "network-changed") -> dict[str, str]:
    return {"server_uuid": server, "name": name}


def cloud(*, allowed: bool = True, lost: str = "") -> Envoy:
    """Make pods that accept the events of their servers, as Nova does."""

    def script(pod: Pod, request: PodRequest) -> Answer:
        if pod.name == lost:
            return None
        if request.method == "GET":
            return 404, {}
        if not allowed:
            return 403, {"forbidden": {"code": 403, "message": "no"}}
        told = json.loads(request.body or b"")["events"]
        for entry in told:
            known = OWNERS.get(entry["server_uuid"]) == pod.name
            entry["code"], entry["status"] = (200, "completed") if known else (404, "failed")
        codes = {entry["code"] for entry in told}
        return (200 if codes == {200} else 207), {"events": told}

    made = envoy(script)
    for server, pod in OWNERS.items():
        made.store.rows[server] = Owner(server, "server", pod, "a1b2")
    return made


async def tell(at: Envoy, *events: Any) -> Said:
    return await at.exchange("POST", PATH, {"events": list(events)}, token="admin")


async def test_each_pod_is_told_its_events_and_the_answer_keeps_the_order() -> None:
    at = cloud()

    said = await tell(at, event("a"), event("b"), event("c"), event("b", "network-vif-plugged"))

    assert sent(at) == {
        "Pod1": {"events": [event("a"), event("c")]},
        "Pod2": {"events": [event("b"), event("b", "network-vif-plugged")]},
    }
    assert said.status == 200
    assert [(entry["server_uuid"], entry["code"]) for entry in said.json["events"]] == [
        ("a", 200),
        ("b", 200),
        ("c", 200),
        ("b", 200),
    ]


async def test_a_server_that_no_pod_has_is_an_entry_that_failed() -> None:
    said = await tell(cloud(), event("nobody"), event("b"))

    assert said.status == 207
    assert said.json["events"] == [
        {**event("nobody"), "code": 404, "status": "failed"},
        {**event("b"), "code": 200, "status": "completed"},
    ]


async def test_a_pod_that_does_not_answer_fails_only_its_own_events() -> None:
    said = await tell(cloud(lost="Pod2"), event("a"), event("b"))

    assert said.status == 207
    assert [entry["code"] for entry in said.json["events"]] == [200, 503]


async def test_who_may_not_tell_events_is_refused() -> None:
    said = await tell(cloud(allowed=False), event("nobody"))

    assert said.status == 403


async def test_a_malformed_batch_goes_to_a_pod_for_its_words() -> None:
    said = await tell(cloud(), {"name": "network-changed"})

    assert said.cluster == "Pod1/compute"
