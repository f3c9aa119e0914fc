"""The pods as they are now, from the store, the catalog and the pods themselves."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from asyncpg.exceptions import CannotConnectNowError
from multidict import CIMultiDict
from sqlalchemy.exc import OperationalError

from control_plane.identity.keystone import KeystoneError
from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import EgressClosed, PodUnreachable
from control_plane.model.fleet import Fleet
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod, PodState
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.pods.facts import GIVEN_SERVICES
from control_plane.pods.looks import IMPATIENT_SECONDS
from control_plane.pods.registry import Registry
from control_plane.pods.view import View
from control_plane.services.catalog import SERVICES

POD1, POD2 = Pod("1", "Pod1", "az1"), Pod("2", "Pod2", "az2")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Store:
    def __init__(self, *pods: Pod) -> None:
        self.pods = list(pods)
        self.stored: dict[str, dict[str, object]] = {}
        self.reads: list[list[str]] = []

    async def fleet(self) -> Fleet:
        return Fleet.of(self.pods)

    async def facts_of(self, pods: Collection[str]) -> Mapping[str, Mapping[str, object]]:
        self.reads.append(sorted(pods))
        return {pod: self.stored[pod] for pod in pods if pod in self.stored}

    async def pods_with_fact(self, key: str) -> set[str]:
        self.reads.append([key])
        return {pod for pod, facts in self.stored.items() if key in facts}

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        self.stored.setdefault(pod, {})[key] = value


class Restarted(Store):
    """A database that is just being restarted, as the drivers of three say it."""

    def __init__(self, *pods: Pod) -> None:
        super().__init__(*pods)
        lost = RuntimeError("Can't connect to MySQL server")
        self.failures: list[Exception] = [
            OperationalError("SELECT", {}, lost),
            CannotConnectNowError("the database system is starting up"),
            ConnectionRefusedError(),
        ]

    async def fleet(self) -> Fleet:
        if self.failures:
            raise self.failures.pop()
        return await super().fleet()


class Catalog:
    def __init__(self) -> None:
        self.down = False
        self.moved = "http://10.0.0.2:80"

    async def endpoints(self, catalog_types: tuple[str, ...]) -> dict[str, str]:
        if self.down:
            message = "down"
            raise KeystoneError(message)
        return {
            "Pod1": f"http://10.0.0.1:80/{catalog_types[0]}/v3/a1b2",
            "Pod2": self.moved,
        }

    async def refresh_catalog(self) -> None:
        pass


class Pods:
    def __init__(self, **highest: str | None) -> None:
        self.highest = highest

    async def ask(self, pod: Pod, _: PodRequest) -> PodAnswer:
        highest = self.highest[pod.name]
        if highest is None:
            raise PodUnreachable(pod.name, "gone")
        document = {"versions": [{"min_version": "2.1", "version": highest}]}
        return PodAnswer(pod, 200, CIMultiDict(), json.dumps(document).encode())


async def test_endpoints_come_from_the_catalog_by_region_and_the_pods_own_win() -> None:
    own = Pod("2", "Pod2", "az2", endpoints={"compute": "https://nova.example/compute/v2.1"})
    registry = Registry(Store(POD1, own), Catalog(), SERVICES)

    await registry.start()

    view = registry.view
    assert view.endpoint("Pod1", "compute") == Endpoint("http", "10.0.0.1", 80, "/compute")
    assert view.endpoint("Pod2", "compute") == Endpoint("https", "nova.example", 443, "/compute")
    assert view.endpoint("Pod2", "network") == Endpoint("http", "10.0.0.2", 80)
    assert registry.path_prefix("Pod1", "compute") == "/compute"


async def test_a_start_without_keystone_uses_what_was_stored() -> None:
    store, catalog = Store(POD1), Catalog()
    await Registry(store, catalog, SERVICES).start()
    catalog.down = True

    again = Registry(store, catalog, SERVICES)
    await again.start()

    assert again.view.endpoint("Pod1", "compute") == Endpoint("http", "10.0.0.1", 80, "/compute")


async def test_listeners_hear_of_pods_and_endpoints_that_changed_and_of_nothing_else() -> None:
    store = Store(POD1)
    registry = Registry(store, Catalog(), SERVICES)
    heard: list[View] = []

    async def listen(view: View) -> None:
        heard.append(view)

    registry.subscribe(listen)
    await registry.start()
    await registry.refresh()
    store.pods.append(POD2)
    await registry.refresh()

    assert [len(view.fleet.pods) for view in heard] == [1, 2]


async def test_a_database_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_plane.pods.registry.DATABASE_SECONDS", 0.01)
    store, heard = Restarted(POD1), asyncio.Event()
    registry = Registry(store, Catalog(), SERVICES)

    async def listen(_: View) -> None:
        heard.set()

    registry.subscribe(listen)
    running = asyncio.create_task(registry.run())
    hearing = asyncio.create_task(heard.wait())
    await asyncio.wait([running, hearing], return_when="FIRST_COMPLETED")

    assert store.failures == []
    assert registry.view.fleet.pods == (POD1,)
    assert not running.done()
    running.cancel()


async def test_the_shared_range_and_who_answers_are_asked_of_the_pods_and_survive_a_restart() -> (
    None
):
    store = Store(POD1, POD2)
    registry = Registry(store, Catalog(), SERVICES)
    registry.asker = Pods(Pod1="2.96", Pod2="2.79")
    await registry.start()
    await registry.ask_versions()

    offered = registry.view.version_range("compute")
    assert offered is not None
    assert offered.maximum == Microversion(2, 79)

    again = Registry(store, Catalog(), SERVICES)
    again.asker = Pods(Pod1="2.96", Pod2=None)
    await again.start()
    await again.ask_versions()
    assert again.view.reachable("Pod2")  # one silence is an accident
    await again.ask_versions()

    assert again.view.version_range("compute") == offered
    assert again.view.reachable("Pod1")
    assert not again.view.reachable("Pod2")


async def test_a_disabled_pod_is_not_asked_and_does_not_narrow_the_range() -> None:
    off = Pod("2", "Pod2", "az2", state=PodState.DISABLED)
    registry = Registry(Store(POD1, off), Catalog(), SERVICES)
    registry.asker = Pods(Pod1="2.96")
    await registry.start()
    await registry.ask_versions()

    assert registry.view.fleet.zones == ("az1",)
    assert [pod.name for pod in registry.view.with_service("compute")] == ["Pod1"]
    offered = registry.view.version_range("compute")
    assert offered is not None
    assert offered.maximum == Microversion(2, 96)


async def test_a_pod_is_not_ready_before_the_store_says_so() -> None:
    store = Store(POD1, POD2, Pod("3", "Pod3", "az3", state=PodState.DISABLED))
    store.stored["Pod1"] = {"definitions": {}}
    registry = Registry(store, Catalog(), SERVICES)
    registry.needs = "definitions"

    await registry.start()
    before = registry.view.arriving
    await store.put_fact("Pod2", "definitions", {})
    await registry.refresh()

    assert before == {"Pod2"}
    assert registry.view.arriving == frozenset()


async def test_every_pod_is_ready_where_nothing_is_needed() -> None:
    registry = Registry(Store(POD1), Catalog(), SERVICES)

    await registry.start()

    assert registry.view.arriving == frozenset()


async def test_a_service_of_a_pod_that_fell_behind_takes_no_creates() -> None:
    registry = Registry(Store(POD1, POD2), Catalog(), SERVICES)
    await registry.start()

    await registry.fall_behind([("Pod2", "compute")])
    await registry.refresh()

    assert registry.view.unready("compute") == {"Pod2"}
    assert registry.view.unready("volume") == frozenset()


async def test_every_new_view_is_shown_before_the_listeners_act_on_it() -> None:
    registry = Registry(Store(POD1), Catalog(), SERVICES)
    registry.asker = Pods(Pod1="2.96")
    heard: list[tuple[str, View]] = []

    async def show(view: View) -> None:
        heard.append(("shown", view))

    async def publish(view: View) -> None:
        heard.append(("published", view))

    registry.show = show
    registry.subscribe(publish)
    await registry.start()
    await registry.ask_versions()
    await registry.fall_behind([("Pod1", "compute")])

    words = [word for word, _ in heard]
    assert words == ["shown", "published", "shown", "published", "shown"]
    assert heard[2][1].version_range("compute") is not None
    assert heard[-1][1].unready("compute") == {"Pod1"}


async def test_facts_are_read_once_for_all_new_pods_and_then_no_more() -> None:
    store = Store(POD1, POD2)
    store.stored = {"Pod1": {"definitions": {}}, "Pod2": {"definitions": {}}}
    registry = Registry(store, Catalog(), SERVICES)
    registry.needs = "definitions"
    await registry.start()
    first = registry.view

    await registry.refresh()

    assert store.reads == [["Pod1", "Pod2"], ["definitions"]]
    assert registry.view is first


async def test_a_pod_that_moved_in_the_catalog_is_found_at_its_new_place() -> None:
    catalog = Catalog()
    registry = Registry(Store(POD1, POD2), catalog, SERVICES)
    await registry.start()
    before = registry.view

    catalog.moved = "http://10.0.0.9:80"
    await registry.start()

    assert registry.view.endpoint("Pod2", "compute") == Endpoint("http", "10.0.0.9", 80)
    # The same object: nothing was worked out again.
    assert registry.view.facts["Pod1"] is before.facts["Pod1"]


async def test_only_pods_that_came_or_are_silent_are_asked_again_soon() -> None:
    store, clock = Store(POD1, POD2), Clock()
    registry = Registry(store, Catalog(), SERVICES, clock)
    registry.asker = Pods(Pod1="2.96", Pod2=None)
    await registry.start()
    assert [pod.name for pod in registry._due()] == ["Pod1", "Pod2"]
    await registry.ask_versions()
    clock.now += IMPATIENT_SECONDS
    store.pods.append(Pod("3", "Pod3", "az3"))
    await registry.refresh()

    assert [pod.name for pod in registry._due()] == ["Pod3", "Pod2"]


async def test_a_pod_that_did_not_answer_a_request_is_looked_at_before_its_turn() -> None:
    clock = Clock()
    registry = Registry(Store(POD1, POD2), Catalog(), SERVICES, clock)
    registry.asker = Pods(Pod1="2.96", Pod2="2.96")
    await registry.start()
    await registry.ask_versions()
    clock.now += IMPATIENT_SECONDS
    before = registry._due()

    registry.suspect("Pod2")

    assert before == []
    assert [pod.name for pod in registry._due()] == ["Pod2"]


async def test_pods_that_say_what_they_said_before_make_no_new_view() -> None:
    registry = Registry(Store(POD1, POD2), Catalog(), SERVICES)
    registry.asker = Pods(Pod1="2.96", Pod2="2.96")
    await registry.start()
    await registry.ask_versions()
    before = registry.view

    await registry.ask_versions()
    await registry.fall_behind(())

    assert registry.view is before


async def test_nothing_is_said_of_pods_while_no_envoy_listens() -> None:
    class Egress(Pods):
        closed = True
        asked = 0

        async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
            self.asked += 1
            if self.closed:
                raise EgressClosed(pod.name, "ClientConnectorError")
            return await super().ask(pod, request)

    registry = Registry(Store(POD1, POD2), Catalog(), SERVICES)
    registry.asker = egress = Egress(Pod1="2.96", Pod2=None)
    await registry.start()
    for _ in range(3):
        await registry.ask_versions(registry._due())
    before = (registry.open, egress.asked, registry.view.answering)

    egress.closed = False
    for _ in range(2):
        await registry.ask_versions()

    assert before == (False, 3, {"Pod1", "Pod2"})
    assert registry.open
    assert registry.view.answering == {"Pod1"}


VOLUME = {"volume": "http://10.0.0.3:81"}


class ComputeCatalog(Catalog):
    """Has the endpoints of one service; others stand in the pods' rows."""

    async def endpoints(self, catalog_types: tuple[str, ...]) -> dict[str, str]:
        return {"Pod1": "http://10.0.0.3:80"} if catalog_types == ("compute",) else {}


async def _told(store: Store) -> Registry:
    registry = Registry(store, ComputeCatalog(), SERVICES)
    registry.needs = "definitions"
    await registry.start()
    return registry


async def test_a_service_that_a_ready_pod_gains_takes_no_creates_until_it_was_given() -> None:
    store = Store(POD1)
    store.stored = {"Pod1": {"definitions": {}}}
    registry = await _told(store)
    before = registry.view

    store.pods[0] = replace(POD1, endpoints=VOLUME)
    await registry.refresh()
    gained = registry.view
    await store.put_fact("Pod1", GIVEN_SERVICES, ["compute", "volume"])
    await registry.refresh()

    assert before.arriving == before.unready("volume") == frozenset()
    assert gained.unready("volume") == gained.arriving == {"Pod1"}
    assert gained.unready("compute") == frozenset()
    assert registry.view.arriving == frozenset()


async def test_a_service_gained_while_no_control_plane_runs_is_noticed() -> None:
    store = Store(replace(POD1, endpoints=VOLUME))
    store.stored = {"Pod1": {"definitions": {}, GIVEN_SERVICES: ["compute"]}}

    registry = await _told(store)

    assert registry.view.unready("volume") == {"Pod1"}
    assert registry.view.unready("compute") == frozenset()


async def test_a_service_that_went_away_and_came_back_is_new() -> None:
    store = Store(replace(POD1, endpoints=VOLUME))
    store.stored = {"Pod1": {"definitions": {}}}
    registry = await _told(store)
    found = []
    for pod in (POD1, replace(POD1, endpoints=VOLUME)):
        store.pods[0] = pod
        await registry.refresh()
        found.append(registry.view.arriving)

    assert found == [frozenset(), {"Pod1"}]
