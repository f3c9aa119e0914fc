"""Groups: one id for users, a part in each pod that has members."""

from typing import Any

import pytest

from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.processor.envoy import Envoy

GROUP = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
SHADOW = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"
SERVER = "5a3e9d0c-6c2b-4a57-9f3e-000000000003"
GROUPS = "/compute/v2.1/os-server-groups"
VERSION = "compute 2.64"


class Novas:
    """The groups of two pods."""

    def __init__(self, policy: str, **members: list[str]) -> None:
        """`members` are by pod; the group is the first pod's own."""
        self.policy = policy
        self.silent: set[str] = set()
        self.groups: dict[str, dict[str, list[str]]] = {"Pod1": {GROUP: members["Pod1"]}}
        self.groups["Pod2"] = {SHADOW: members["Pod2"]} if "Pod2" in members else {}
        self.made: list[tuple[str, Any, str]] = []

    def shown(self, group_id: str, members: list[str]) -> dict[str, Any]:
        rules = {"max_server_per_host": 3} if self.policy == "anti-affinity" else {}
        fields = {"name": "g", "policy": self.policy, "rules": rules}
        return {"id": group_id, **fields, "members": members, "project_id": "a1b2"}

    def answer(self, pod: Pod, request: PodRequest) -> tuple[int, object] | None:
        if pod.name in self.silent:
            return None
        groups = self.groups[pod.name]
        path = request.path.partition("?")[0]
        group_id = path.rpartition("/")[2]
        if request.method == "POST":
            self.made.append((pod.name, request.body, request.headers["openstack-api-version"]))
            groups[SHADOW] = []
            return 200, {"server_group": self.shown(SHADOW, [])}
        if path.endswith("/os-server-groups"):
            return 200, {"server_groups": [self.shown(*entry) for entry in groups.items()]}
        if group_id not in groups:
            return 404, {}
        if request.method == "DELETE":
            del groups[group_id]
            return 204, {}
        return 200, {"server_group": self.shown(group_id, groups[group_id])}


def envoy_of(novas: Novas) -> Envoy:
    envoy = Envoy(novas.answer)
    envoy.store.rows[GROUP] = Owner(GROUP, "server_group", "Pod1", "a1b2")
    if novas.groups["Pod2"]:
        envoy.store.kept["server_group", "Pod2", GROUP] = SHADOW
    return envoy


def member(zone: str = "") -> object:
    server = {"name": "n", **({"availability_zone": zone} if zone else {})}
    return {"server": server, "os:scheduler_hints": {"group": GROUP}}


async def test_anti_affinity_may_have_members_in_every_pod() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"])
    envoy = envoy_of(novas)

    said = await envoy.exchange(
        "POST", "/compute/v2.1/servers", member("az2"), openstack_api_version="compute 2.1"
    )

    assert said.cluster == "Pod2/compute"
    assert said.sent["os:scheduler_hints"] == {"group": SHADOW}
    [(pod, body, version)] = novas.made
    assert (pod, version) == ("Pod2", VERSION)
    assert b'"max_server_per_host":3' in body
    assert envoy.store.kept == {("server_group", "Pod2", GROUP): SHADOW}


async def test_a_member_in_the_groups_own_pod_needs_no_translation() -> None:
    novas = Novas("anti-affinity", Pod1=[])

    said = await envoy_of(novas).exchange("POST", "/compute/v2.1/servers", member("az1"))

    assert said.cluster == "Pod1/compute"
    assert said.sent["os:scheduler_hints"] == {"group": GROUP}
    assert novas.made == []


async def test_a_pod_is_given_one_shadow() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"])
    envoy = envoy_of(novas)

    for _ in range(3):
        await envoy.exchange("POST", "/compute/v2.1/servers", member("az2"))

    assert len(novas.made) == 1


async def test_affinity_stays_with_its_first_member() -> None:
    envoy = envoy_of(Novas("affinity", Pod1=[], Pod2=["s1"]))

    follower = await envoy.exchange("POST", "/compute/v2.1/servers", member())
    refused = await envoy.exchange("POST", "/compute/v2.1/servers", member("az1"))

    assert follower.cluster == "Pod2/compute"
    assert follower.facts["decision"] == "pinned"
    assert refused.status == 400
    assert "az2" in refused.json["badRequest"]["message"]


async def test_affinity_without_a_member_goes_anywhere() -> None:
    said = await envoy_of(Novas("affinity", Pod1=[])).exchange(
        "POST", "/compute/v2.1/servers", member("az2")
    )

    assert said.cluster == "Pod2/compute"


async def test_soft_affinity_wishes_and_does_not_demand() -> None:
    envoy = envoy_of(Novas("soft-affinity", Pod1=[], Pod2=["s1"]))
    await envoy.store.bind("a1b2", "az1", "id-1")

    wished = await envoy.exchange("POST", "/compute/v2.1/servers", member())
    elsewhere = await envoy.exchange("POST", "/compute/v2.1/servers", member("az1"))

    assert wished.cluster == "Pod2/compute"
    assert elsewhere.cluster == "Pod1/compute"


async def test_a_group_no_pod_has_is_left_to_the_pod_to_refuse() -> None:
    envoy = Envoy()

    said = await envoy.exchange("POST", "/compute/v2.1/servers", member("az2"))

    assert said.cluster == "Pod2/compute"


async def test_a_member_waits_when_a_part_of_the_group_cannot_be_read() -> None:
    novas = Novas("affinity", Pod1=[], Pod2=["s1"])
    novas.silent = {"Pod2"}

    said = await envoy_of(novas).exchange("POST", "/compute/v2.1/servers", member("az1"))

    assert said.status == 503
    assert int(said.headers["retry-after"]) > 0


async def test_a_group_is_shown_with_the_members_of_all_pods() -> None:
    envoy = envoy_of(Novas("anti-affinity", Pod1=["s1"], Pod2=["s2", "s3"]))

    said = await envoy.exchange("GET", f"{GROUPS}/{GROUP}", openstack_api_version=VERSION)

    assert said.status == 200
    assert said.json["server_group"]["id"] == GROUP
    assert said.json["server_group"]["members"] == ["s1", "s2", "s3"]


@pytest.mark.parametrize(("silent", "members"), [("Pod1", ["s2"]), ("Pod2", ["s1"])])
async def test_a_group_is_shown_as_far_as_pods_answer(silent: str, members: list[str]) -> None:
    novas = Novas("anti-affinity", Pod1=["s1"], Pod2=["s2"])
    novas.silent = {silent}

    said = await envoy_of(novas).exchange("GET", f"{GROUPS}/{GROUP}")

    assert said.json["server_group"]["id"] == GROUP
    assert said.json["server_group"]["members"] == members
    assert said.headers["x-trio2o-missing"] == {"Pod1": "az1", "Pod2": "az2"}[silent]


async def test_a_group_in_one_pod_is_shown_by_that_pod() -> None:
    said = await envoy_of(Novas("affinity", Pod1=["s1"])).exchange("GET", f"{GROUPS}/{GROUP}")

    assert said.cluster == "Pod1/compute"


async def test_a_list_shows_each_group_once() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"], Pod2=["s2"])
    novas.groups["Pod2"]["another"] = []

    said = await envoy_of(novas).exchange("GET", GROUPS)
    second = await envoy_of(novas).exchange("GET", f"{GROUPS}?limit=1&offset=1")

    listed = [(group["id"], group["members"]) for group in said.json["server_groups"]]
    assert listed == [(GROUP, ["s1", "s2"]), ("another", [])]
    assert [group["id"] for group in second.json["server_groups"]] == ["another"]


async def test_a_list_without_the_groups_own_pod_still_uses_its_id() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"], Pod2=["s2"])
    novas.silent = {"Pod1"}

    said = await envoy_of(novas).exchange("GET", GROUPS)

    assert [group["id"] for group in said.json["server_groups"]] == [GROUP]
    assert said.headers["x-trio2o-missing"] == "az1"


async def test_a_delete_takes_all_parts_away() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"], Pod2=["s2"])
    envoy = envoy_of(novas)

    said = await envoy.exchange("DELETE", f"{GROUPS}/{GROUP}", answer=(204, {}))

    assert said.cluster == "Pod1/compute"
    assert novas.groups["Pod2"] == {}
    assert envoy.store.kept == {}
    assert envoy.store.deleted == {GROUP}


async def test_a_delete_that_cannot_reach_a_part_is_503_and_can_be_repeated() -> None:
    novas = Novas("anti-affinity", Pod1=["s1"], Pod2=["s2"])
    novas.silent = {"Pod2"}
    envoy = envoy_of(novas)

    refused = await envoy.exchange("DELETE", f"{GROUPS}/{GROUP}")
    novas.silent = set()
    again = await envoy.exchange("DELETE", f"{GROUPS}/{GROUP}", answer=(204, {}))

    assert refused.status == 503
    assert again.cluster == "Pod1/compute"
    assert envoy.store.kept == {}


async def test_a_server_shows_the_group_under_the_users_id() -> None:
    envoy = envoy_of(Novas("anti-affinity", Pod1=[], Pod2=[SERVER]))
    envoy.store.rows[SERVER] = Owner(SERVER, "server", "Pod2", "a1b2")

    said = await envoy.exchange(
        "GET",
        f"/compute/v2.1/servers/{SERVER}",
        answer=(200, {"server": {"id": SERVER, "server_groups": [SHADOW]}}),
    )

    assert said.shown["server"]["server_groups"] == [GROUP]
