"""Lists that are one pod's: decided by what was made, what was seen, and who answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from control_plane.directory.homes import HomeKey
from control_plane.directory.presence import LEASE
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.model.stay import Stay
from control_plane.pods.client import PodRequest
from tests.processor.envoy import POD1, POD2, VIEW, Envoy, Said, facts

LIST = "/compute/v2.1/servers/detail"
MADE = {"server": {"id": "5a3e9d0c-6c2b-4a57-9f3e-00000000000a"}}


def cloud(**servers: int) -> Envoy:
    """Make two pods that have so many servers, and nothing else."""

    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        count = servers.get(pod.name, 0)
        if count < 0:
            return None
        items = [
            {"id": f"{pod.name}-{number}", "created": "2026-01-01T00:00:00Z"}
            for number in range(count)
        ]
        for name in ("volumes", "snapshots", "backups"):
            if f"/{name}" in request.path:
                return 200, {name: []}
        [limit] = parse_qs(request.path.partition("?")[2]).get("limit", ["1000"])
        page: dict[str, Any] = {"servers": items[: int(limit)]}
        if len(items) > int(limit):
            page["servers_links"] = [{"rel": "next", "href": "http://pod/"}]
        return 200, page

    return Envoy(script)


async def ask(envoy: Envoy, path: str = LIST, token: str = "user", **headers: str) -> Said:
    """Ask on the lane by which Envoy says that it can rewrite a list."""
    return await envoy.exchange("GET", path, token=token, **{"x-trio2o-lane": "list", **headers})


async def create(envoy: Envoy, zone: str, **headers: str) -> Said:
    body = {"server": {"name": "n", "availability_zone": zone}}
    return await envoy.exchange(
        "POST", "/compute/v2.1/servers", body, answer=(202, MADE), **headers
    )


async def homed() -> Envoy:
    """Give a cloud where the project is known to be in the first pod."""
    envoy = cloud(Pod1=2)
    await create(envoy, "az1")
    await ask(envoy)
    envoy.pods.asked.clear()
    return envoy


async def test_a_list_goes_to_the_pod_that_has_all_of_a_project() -> None:
    envoy = await homed()

    said = await ask(envoy, f"{LIST}?name=5", accept_encoding="gzip")

    removed = said.last.request_headers.response.header_mutation.remove_headers
    assert said.cluster == "Pod1/compute"
    assert said.routed[":path"] == "/v2.1/servers/detail?name=5"
    assert said.facts["decision"] == "home"
    assert said.facts["learn"].startswith("|sh|Pod1/compute|")
    assert "accept-encoding" in removed
    assert envoy.pods.asked == []


@pytest.mark.parametrize("query", ["limit=1", "name=a&limit=5&status=", "limit=2&marker=Pod1-0"])
async def test_pages_go_there_too_behind_things_of_that_pod(query: str) -> None:
    envoy = await homed()

    said = await ask(envoy, f"{LIST}?{query}")

    assert said.cluster == "Pod1/compute"
    assert said.routed[":path"] == f"/v2.1/servers/detail?{query}"


async def test_the_first_list_asks_all_pods_and_what_it_shows_is_kept() -> None:
    envoy = cloud(Pod2=1)

    first, second = await ask(envoy), await ask(envoy)

    assert first.facts["decision"] == "merged"
    assert second.cluster == "Pod2/compute"
    assert set(envoy.store.present["a1b2"]) == {"id-2"}


async def test_a_project_with_nothing_is_where_its_creates_went() -> None:
    envoy = cloud()
    await create(envoy, "az2")
    await ask(envoy)

    assert (await ask(envoy)).cluster == "Pod2/compute"


async def test_a_project_that_is_nowhere_has_no_home() -> None:
    envoy = cloud()
    await ask(envoy)

    assert (await ask(envoy)).facts["decision"] == "merged"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{LIST}?all_tenants=1", {}),
        (f"{LIST}?name=1;all_tenants=1", {}),
        (f"{LIST}?limit=0", {}),
        (f"{LIST}?limit=-1", {}),
        (f"{LIST}?limit=1&limit=1", {}),
        (f"{LIST}?limit=1&name=a%20b", {}),
        (f"{LIST}?limit=1&name", {}),
        (f"{LIST}?limit=1&name={'n' * 1024}", {}),
        (f"{LIST}?limit=1&marker=unknown", {}),
        (f"{LIST}?limit=1&marker=Pod2-0", {}),
        (f"{LIST}?marker=Pod1-0", {}),
        ("/volume/v3/volumes?limit=1&sort=name", {}),
        (f"{LIST}?%6eame=x", {}),
        (f"{LIST}?availability_zone=az1", {}),
        (f"{LIST}?changes-since=2026-01-01", {}),
        (f"{LIST}?sort_key=launched_at&sort_dir=desc", {}),
        (LIST, {"x-trio2o-lane": ""}),
        (LIST, {"x-service-token": "s"}),
        ("/compute/v2.1/os-volumes_boot", {}),
        ("/volume/v3/volumes", {}),
    ],
)
async def test_other_lists_ask_all_pods(path: str, headers: dict[str, str]) -> None:
    envoy = await homed()

    said = await ask(envoy, path, **headers)

    assert said.cluster == ""


async def test_volumes_that_show_ids_of_types_are_merged() -> None:
    envoy = cloud()
    await create(envoy, "az1")
    low, high = "volume 3.62", "volume 3.63"
    for version in (low, high):
        await ask(envoy, "/volume/v3/volumes", **{"openstack-api-version": version})

    before = await ask(envoy, "/volume/v3/volumes", **{"openstack-api-version": low})
    since = await ask(envoy, "/volume/v3/volumes", **{"openstack-api-version": high})

    assert before.cluster == "Pod1/volume"
    assert since.cluster == ""


async def test_a_second_pod_is_waited_for_and_ends_it() -> None:
    envoy = await homed()
    before = list(envoy.slept)

    await create(envoy, "az2")

    [waited] = envoy.slept
    assert before == []
    assert waited > LEASE
    assert (await ask(envoy)).facts["decision"] == "merged"


async def test_what_was_made_behind_the_back_is_found_when_all_are_asked() -> None:
    envoy = cloud(Pod1=1, Pod2=1)
    await create(envoy, "az1")

    for _ in range(2):
        assert (await ask(envoy)).facts["decision"] == "merged"

    assert set(envoy.store.present["a1b2"]) == {"id-1", "id-2"}


async def test_a_page_that_is_all_shows_which_pods_have_something() -> None:
    envoy = cloud(Pod1=5)

    await ask(envoy, f"{LIST}?limit=9")

    assert (await ask(envoy)).cluster == "Pod1/compute"


async def test_a_list_of_several_pages_is_left_to_nobody() -> None:
    envoy = cloud(Pod1=5)

    await ask(envoy, f"{LIST}?limit=2")

    assert (await ask(envoy)).cluster == ""


@pytest.mark.parametrize("query", ["?name=x", "?limit=0", "?marker=Pod1-0"])
async def test_a_part_of_a_list_shows_nothing(query: str) -> None:
    envoy = cloud(Pod1=1)

    await ask(envoy, f"{LIST}{query}")

    assert (await ask(envoy)).cluster == ""


async def test_a_silent_pod_shows_nothing() -> None:
    envoy = cloud(Pod1=1, Pod2=-1)

    await ask(envoy)

    assert (await ask(envoy)).cluster == ""


async def test_the_list_of_a_pod_that_does_not_answer_is_merged() -> None:
    envoy = await homed()
    silent = {**VIEW.facts, "Pod1": replace(VIEW.facts["Pod1"], misses=99)}
    envoy.registry.view = replace(envoy.registry.view, facts=silent)

    assert (await ask(envoy)).cluster == ""


async def test_with_another_pod_all_are_asked_again() -> None:
    envoy = await homed()
    fleet = Fleet.of([POD1, POD2, Pod("id-3", "Pod3", "az3")])
    envoy.registry.view = replace(
        envoy.registry.view, fleet=fleet, facts={**VIEW.facts, "Pod3": facts(3)}
    )

    before, after = await ask(envoy), await ask(envoy)

    assert before.cluster == ""
    assert after.cluster == "Pod1/compute"


async def test_projects_have_homes_of_their_own() -> None:
    envoy = await homed()
    envoy.keystone.tokens["other"] = {"member"}
    envoy.keystone.projects["other"] = "c3d4"

    assert (await ask(envoy, token="other")).cluster == ""


async def test_a_create_that_no_pod_takes_notes_nothing() -> None:
    envoy = Envoy()
    body = {"snapshot": {"volume_id": "5a3e9d0c-6c2b-4a57-9f3e-00000000000f"}}

    await envoy.exchange("POST", "/volume/v3/snapshots", body)

    assert envoy.store.present == {}


async def test_networks_are_no_reason_to_wait() -> None:
    envoy = await homed()

    await envoy.exchange(
        "POST", "/network/v2.0/networks", {"network": {"availability_zone_hints": ["az2"]}}
    )

    assert envoy.slept == []
    assert set(envoy.store.present["a1b2"]) == {"id-1"}


@pytest.mark.parametrize("name", ["presence", "note"])
async def test_lists_need_no_database(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    envoy = await homed()

    async def fail(*_: str) -> None:
        raise OSError

    monkeypatch.setattr(envoy.store, name, fail)
    envoy.cloud.homes.learn(HomeKey("c3d4", "compute", "server"), [], ("Pod1", "Pod2"))
    envoy.keystone.tokens["other"] = {"member"}
    envoy.keystone.projects["other"] = "c3d4"

    assert (await ask(envoy, token="other")).cluster == ""


async def settled(envoy: Envoy) -> None:
    """Bring the project into both pods, an hour ago."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    later = long_ago + timedelta(minutes=1)
    envoy.store.present["a1b2"] = {
        "id-1": Stay(long_ago, later),
        "id-2": Stay(long_ago, long_ago),
    }


async def test_a_project_that_left_its_second_pod_has_a_home_again() -> None:
    envoy = cloud(Pod1=2)
    await settled(envoy)

    first = await ask(envoy)
    await envoy.cloud.later.finish()
    envoy.pods.asked.clear()
    second = await ask(envoy)

    assert first.facts["decision"] == "merged"
    assert set(envoy.store.present["a1b2"]) == {"id-1"}
    assert second.cluster == "Pod1/compute"
    assert envoy.pods.asked == []


@pytest.mark.parametrize("kind", ["servers", "volumes", "snapshots", "backups"])
@pytest.mark.parametrize("answer", ["some", "refused", "silent", "odd"])
async def test_a_project_that_has_anything_there_has_not_left(kind: str, answer: str) -> None:
    answers: dict[str, tuple[int, Any] | None] = {
        "some": (200, {kind: [{"id": "x"}]}),
        "refused": (403, {}),
        "silent": None,
        "odd": (200, {kind: None}),
    }

    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        path, _, query = request.path.partition("?")
        name = path.removesuffix("/detail").rpartition("/")[2]
        if pod.name == "Pod2" and name == kind and query == "limit=1":
            return answers[answer]
        return 200, {name: []}

    envoy = Envoy(script)
    await settled(envoy)

    await ask(envoy)
    await envoy.cloud.later.finish()

    assert set(envoy.store.present["a1b2"]) == {"id-1", "id-2"}


async def test_a_pod_is_not_asked_again_at_once_what_a_project_has_there() -> None:
    def script(pod: Pod, request: PodRequest) -> tuple[int, Any] | None:
        return (403, {}) if request.path.endswith("?limit=1") else (200, {"servers": []})

    envoy = Envoy(script)
    await settled(envoy)

    for _ in range(3):
        await ask(envoy)
        await envoy.cloud.later.finish()

    looks = [request for _, request in envoy.pods.asked if request.path.endswith("?limit=1")]
    assert len(looks) == 1
    assert looks[0].path == "/v2.1/a1b2/servers?limit=1"
    assert looks[0].headers["x-auth-token"] == "user"


async def test_a_pod_that_was_entered_lately_is_not_left() -> None:
    envoy = cloud()
    await settled(envoy)
    envoy.store.present["a1b2"]["id-2"] = Stay(datetime.now(UTC), datetime.now(UTC))
    now = datetime.now(UTC)
    envoy.store.present["a1b2"]["id-1"] = Stay(now, now - timedelta(minutes=15))

    await ask(envoy)
    await envoy.cloud.later.finish()

    assert set(envoy.store.present["a1b2"]) == {"id-1", "id-2"}
