"""Creates: which pod, in which words, and what is remembered of them."""

import base64
import json
from dataclasses import replace

import pytest

from control_plane.identity.tokens import TokenVerifier
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from control_plane.replication.bringing import Bringing
from control_plane.replication.own import Own
from tests.processor.envoy import Envoy
from tests.replication.memory import MemoryIntents

SERVER1 = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
SERVER2 = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"
VOLUME2 = "5a3e9d0c-6c2b-4a57-9f3e-000000000003"
MADE = "5a3e9d0c-6c2b-4a57-9f3e-00000000000a"
ALSO = "5a3e9d0c-6c2b-4a57-9f3e-00000000000b"


def knowing(script: object = None) -> Envoy:
    """Make an Envoy whose store knows a server in each pod and a volume in the second."""
    envoy = Envoy(script)  # type: ignore[arg-type]
    for owner in (
        Owner(SERVER1, "server", "Pod1", "a1b2"),
        Owner(SERVER2, "server", "Pod2", "a1b2"),
        Owner(VOLUME2, "volume", "Pod2", "a1b2"),
    ):
        envoy.store.rows[owner.id] = owner
    return envoy


def server(hints: object = None, key: str = "os:scheduler_hints", **fields: object) -> object:
    body: dict[str, object] = {"server": {"name": "n", **fields}}
    return {**body, key: hints} if hints is not None else body


@pytest.mark.parametrize("key", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
@pytest.mark.parametrize("same_host", [SERVER2, [SERVER2]])
async def test_same_host_pins_in_both_spellings(key: str, same_host: object) -> None:
    body = server({"same_host": same_host}, key)

    said = await knowing().exchange("POST", "/compute/v2.1/servers", body)

    assert said.cluster == "Pod2/compute"
    assert said.facts["decision"] == "pinned"
    assert said.sent is None


@pytest.mark.parametrize(
    ("different_host", "left"),
    [([SERVER1, SERVER2], [SERVER2]), (SERVER1, None), ([SERVER1], []), (SERVER2, SERVER2)],
)
async def test_what_is_in_another_pod_is_far_enough(different_host: object, left: object) -> None:
    body = server({"different_host": different_host, "build_near_host_ip": "10.0.0.1"})
    body["server"]["availability_zone"] = "az2"  # type: ignore[index]

    said = await knowing().exchange("POST", "/compute/v2.1/servers", body)

    hints = said.sent["os:scheduler_hints"]
    assert hints.get("different_host") == left
    assert hints["build_near_host_ip"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"host": "Pod2~compute1"}, {"host": "compute1"}),
        ({"hypervisor_hostname": "Pod2~node1"}, {"hypervisor_hostname": "node1"}),
        ({"availability_zone": "az2:Pod2~h:Pod2~n"}, {"availability_zone": "inner2:h:n"}),
        ({"availability_zone": "az2::n"}, {"availability_zone": "inner2::n"}),
        ({"availability_zone": "az2:h", "host": "h"}, {"availability_zone": "inner2:h"}),
    ],
)
async def test_hosts_are_told_to_the_pod_in_its_own_words(
    fields: dict[str, str], sent: dict[str, str]
) -> None:
    said = await knowing().exchange("POST", "/compute/v2.1/servers", server(**fields))

    assert said.cluster == "Pod2/compute"
    assert sent.items() <= said.sent["server"].items()


@pytest.mark.parametrize(
    "body",
    [
        server({"same_host": [SERVER1, SERVER2]}),
        server({"same_host": SERVER1}, availability_zone="az2"),
        server(host="Pod1~h", availability_zone="az2"),
        server(availability_zone="az2:Pod1~h"),
        server({"same_host": SERVER2}, host="Pod1~h"),
    ],
)
async def test_what_cannot_be_in_one_pod_is_400_and_names_zones_and_no_pod(body: object) -> None:
    said = await knowing().exchange("POST", "/compute/v2.1/servers", body)

    message = said.json["badRequest"]["message"]
    assert said.status == 400
    assert "az1" in message
    assert "az2" in message
    assert "Pod" not in message


async def test_names_and_mistakes_are_not_asked_of_pods() -> None:
    envoy = knowing()

    said = await envoy.exchange("POST", "/compute/v2.1/os-floating-ips", {"pool": "public"})

    assert said.cluster.endswith("/compute")
    assert envoy.pods.asked == []


async def test_a_create_without_a_body_gets_the_pods_own_error() -> None:
    said = await knowing().exchange("POST", "/compute/v2.1/os-floating-ips")

    assert said.cluster.endswith("/compute")


async def test_volume_hints_pin_and_keep_apart() -> None:
    envoy = knowing()
    hints = {"local_to_instance": SERVER1, "different_host": [VOLUME2]}
    body = {"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": hints}

    said = await envoy.exchange("POST", "/volume/v3/volumes", body)

    assert said.cluster == "Pod1/volume"
    assert said.sent["OS-SCH-HNT:scheduler_hints"]["different_host"] == []


async def test_an_imported_backup_comes_back_to_where_it_was() -> None:
    envoy = knowing()
    envoy.store.rows[MADE] = Owner(MADE, "backup", "Pod2", "a1b2")
    record = base64.b64encode(json.dumps({"id": MADE}).encode()).decode()
    body = {"backup-record": {"backup_service": "s", "backup_url": record}}

    said = await envoy.exchange("POST", "/volume/v3/backups/import_record", body, token="admin")

    assert said.cluster == "Pod2/volume"


def listing(_: Pod, request: PodRequest) -> tuple[int, object]:
    """Answer the look for a batch with two servers."""
    if "/servers/detail?" in request.path:
        return 200, {"servers": [{"id": MADE, "created": "2026-01-01T00:00:00Z"}, {"id": ALSO}]}
    return 404, {}


async def test_all_servers_of_one_create_are_recorded() -> None:
    envoy = Envoy(listing)
    body = server(min_count=2, max_count="2", availability_zone="az2")

    await envoy.exchange(
        "POST", "/compute/v2.1/servers", body, answer=(202, {"server": {"id": MADE}})
    )
    await envoy.cloud.later.finish()

    assert {owner.id: owner.pod for owner in envoy.store.rows.values()} == {
        MADE: "Pod2",
        ALSO: "Pod2",
    }
    [(pod, request)] = envoy.pods.asked
    assert (pod, request.method, request.body) == ("Pod2", "GET", None)


async def test_servers_of_a_reservation_are_found_by_it() -> None:
    envoy = Envoy(listing)
    body = server(return_reservation_id=True, availability_zone="az2")

    await envoy.exchange(
        "POST", "/compute/v2.1/servers", body, answer=(202, {"reservation_id": "r-1"})
    )
    await envoy.cloud.later.finish()

    assert set(envoy.store.rows) == {MADE, ALSO}
    assert envoy.pods.asked[0][1].path.endswith("/servers/detail?reservation_id=r-1")


async def test_a_batch_that_cannot_be_listed_does_not_fail_the_create() -> None:
    envoy = Envoy(lambda _pod, _request: None)

    said = await envoy.exchange(
        "POST",
        "/compute/v2.1/servers",
        server(min_count=2, availability_zone="az2"),
        answer=(202, {"server": {"id": MADE}}),
    )
    await envoy.cloud.later.finish()

    assert said.last.HasField("response_body")
    assert set(envoy.store.rows) == {MADE}


async def test_a_single_server_is_not_looked_for() -> None:
    envoy = Envoy(listing)

    await envoy.exchange(
        "POST",
        "/compute/v2.1/servers",
        server(availability_zone="az2"),
        answer=(202, {"server": {"id": MADE}}),
    )
    await envoy.cloud.later.finish()

    assert envoy.pods.asked == []


class Administrator:
    """Gives a token that Keystone knows."""

    async def token(self) -> str:
        return "admin"


def keyed() -> Envoy:
    """Make an Envoy before two pods of which the first alone has the caller's key pair."""

    def script(pod: Pod, request: PodRequest) -> tuple[int, object]:
        if request.method == "GET" and pod.name == "Pod1":
            return 200, {"keypair": {"name": "k", "public_key": "p", "user_id": "u"}}
        return (200, {}) if request.method == "POST" else (404, {})

    envoy = knowing(script)
    own = Own(Administrator(), TokenVerifier(envoy.keystone))
    bringing = Bringing(envoy.pods, own, MemoryIntents())
    envoy.cloud = replace(envoy.cloud, bringing=bringing)
    return envoy


def _given(envoy: Envoy) -> list[str]:
    return [pod for pod, request in envoy.pods.asked if request.method == "POST"]


async def test_a_create_finds_the_users_key_pair_in_its_pod() -> None:
    envoy = keyed()
    body = server(key_name="k", availability_zone="az2")

    said = await envoy.exchange("POST", "/compute/v2.1/servers", body)

    assert said.cluster == "Pod2/compute"
    assert _given(envoy) == ["Pod2"]


async def test_a_rebuild_finds_the_callers_key_pair_in_the_servers_pod() -> None:
    envoy = keyed()
    body = {"rebuild": {"imageRef": MADE, "key_name": "k"}}

    said = await envoy.exchange("POST", f"/compute/v2.1/servers/{SERVER2}/action", body)

    assert said.cluster == "Pod2/compute"
    assert _given(envoy) == ["Pod2"]


@pytest.mark.parametrize("key", [None, "", 1.5, {}])
async def test_a_create_that_names_no_key_pair_asks_for_none(key: object) -> None:
    envoy = keyed()

    said = await envoy.exchange("POST", "/compute/v2.1/servers", server(key_name=key))

    assert said.cluster
    assert envoy.pods.asked == []


def network(*hints: str, **fields: object) -> dict[str, object]:
    return {"name": "n", "availability_zone_hints": list(hints), **fields}


@pytest.mark.parametrize(
    ("known", "hints"),
    [
        ([{"name": "inner2", "resource": "network"}], ["inner2"]),
        # Of another name, of routers alone, and of pods without agents.
        ([{"name": "nova", "resource": "network"}], []),
        ([{"name": "inner2", "resource": "router"}], []),
        ([], []),
    ],
)
async def test_a_network_is_made_in_the_zone_it_names_also_where_neutron_has_no_such_zone(
    known: list[dict[str, str]], hints: list[str]
) -> None:
    envoy = Envoy(lambda _pod, _request: (200, {"availability_zones": known}))

    said = await envoy.exchange("POST", "/network/v2.0/networks", {"network": network("az2")})

    assert said.cluster == "Pod2/network"
    assert said.sent == {"network": network(*hints)}
    assert [(pod, request.path) for pod, request in envoy.pods.asked] == [
        ("Pod2", "/v2.0/availability_zones")
    ]


async def test_a_pod_that_would_not_list_its_zones_judges_by_itself() -> None:
    envoy = Envoy(lambda _pod, _request: (403, {}))

    said = await envoy.exchange("POST", "/network/v2.0/routers", {"router": network("az2")})

    assert said.sent == {"router": network("inner2")}


@pytest.mark.parametrize(
    "body",
    [
        {"network": network("az1", "az2")},
        {"networks": [network("az1"), network("az2")]},
    ],
)
async def test_what_one_request_makes_cannot_be_in_two_zones(body: object) -> None:
    said = await Envoy().exchange("POST", "/network/v2.0/networks", body)

    assert said.status == 400
    assert "az1, az2 cannot be had at once" in said.json["NeutronError"]["message"]
