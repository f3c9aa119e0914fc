"""Walking through a list over pods, page by page: everything once, in order, whatever happens."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from control_plane.lists.batch import share
from control_plane.lists.cursor import Cursors
from control_plane.lists.page import Page
from control_plane.lists.sequence import Sequence as Items
from control_plane.model.fleet import Fleet
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.pods.view import View
from tests.handlers.nova import Nova, Server, script
from tests.processor.envoy import Envoy, facts

ORDERS = [
    "",
    "sort_key=created_at&sort_dir=asc",
    "sort_key=display_name&sort_dir=asc",
    "sort_key=display_name&sort_dir=desc",
    "sort_key=task_state&sort_dir=asc",
    "sort_key=task_state&sort_dir=desc",
    "sort_key=uuid&sort_dir=asc",
    "sort_key=instance_type_id&sort_dir=asc",
]


@dataclass
class Cloud:
    """Some pods and the gateway before them."""

    pods: dict[str, Nova]
    envoy: Envoy

    @classmethod
    def of(cls, pods: list[Nova]) -> "Cloud":
        named = {f"Pod{number}": nova for number, nova in enumerate(pods)}
        fleet = Fleet.of(Pod(name, name, f"az-{name}") for name in named)
        view = View(fleet, {name: facts(number) for number, name in enumerate(named)})
        return cls(named, Envoy(script(named), view))

    async def page(self, query: str) -> dict[str, Any]:
        said = await self.envoy.exchange("GET", f"/compute/v2.1/servers/detail?{query}")
        assert said.status == 200, said.json
        return said.json  # type: ignore[no-any-return]

    async def whole(self, order: str) -> list[str]:
        return [server["id"] for server in (await self.page(order))["servers"]]

    def restart(self) -> None:
        """Forget everything that one process knows and another does not."""
        object.__setattr__(self.envoy.cloud, "cursors", Cursors())

    def delete(self, server_id: str) -> None:
        for nova in self.pods.values():
            for row in nova.servers:
                row.deleted |= row.id == server_id


@st.composite
def clouds(draw: st.DrawFn, *, exact: bool) -> list[Nova]:
    """Draw up to four pods: few distinct times and names, missing values, unplaced servers."""
    count = draw(st.integers(1, 4))
    pods = [
        Nova([], max_limit=draw(st.sampled_from([1, 2, 5, 1000])), exact=exact)
        for _ in range(count)
    ]
    for number in draw(st.lists(st.integers(0, 10**4), unique=True, max_size=30)):
        server = Server(
            f"{number:05d}",
            draw(st.integers(0, 45)),
            draw(st.sampled_from(["a", "B", "b", "_", "ab"])),
            draw(st.sampled_from([None, None, "deleting", "rebooting"])),
            unplaced=draw(st.integers(0, 9)) == 0,
        )
        pods[draw(st.integers(0, count - 1))].servers.append(server)
    return pods


async def walk(cloud: Cloud, order: str, limit: int, between: Any) -> list[str]:
    """Follow the last id of each page until a page is short; `between` runs after each."""
    found: list[str] = []
    query = f"limit={limit}&{order}"
    while True:
        page = await cloud.page(query)
        ids = [server["id"] for server in page["servers"]]
        found += ids
        if len(ids) < limit:
            assert "servers_links" not in page
            return found
        [link] = page["servers_links"]
        assert dict(parse_qsl(urlsplit(link["href"]).query))["marker"] == ids[-1]
        query = f"limit={limit}&{order}&marker={ids[-1]}"
        between(ids[-1])


_SETTINGS = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    # An example is a whole cloud: what fails is as clear unshrunk, and shrinking takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@given(
    clouds(exact=True),
    st.sampled_from(ORDERS),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
@_SETTINGS
async def test_every_page_is_the_same_whichever_process_took_the_one_before(
    pods: list[Nova], order: str, limit: int, random: Any
) -> None:
    cloud = Cloud.of(pods)
    whole = await cloud.whole(order)

    def between(_: str) -> None:
        if random.random() < 0.5:
            cloud.restart()

    found = await walk(cloud, order, limit, between)

    assert found == whole
    assert sorted(found) == sorted(row.id for nova in pods for row in nova.servers)


@given(
    clouds(exact=False),
    st.sampled_from(ORDERS),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
@_SETTINGS
async def test_a_marker_that_was_deleted_loses_and_repeats_nothing(
    pods: list[Nova], order: str, limit: int, random: Any
) -> None:
    for nova in pods:
        for row in nova.servers:
            # Names that every collation sorts alike, no server without a place.
            row.name, row.unplaced = row.name.replace("_", "c").lower(), False
    cloud = Cloud.of(pods)
    whole = await cloud.whole(order)

    def between(last: str) -> None:
        if random.random() < 0.5:
            cloud.delete(last)
        if random.random() < 0.5:
            cloud.restart()

    assert await walk(cloud, order, limit, between) == whole


async def test_behind_the_last_item_nothing_follows_though_it_was_deleted() -> None:
    rows = [Server("a", 20), Server("b", 10)]
    cloud = Cloud.of([Nova(rows), Nova([])])
    order = "limit=2&sort_key=task_state&sort_dir=desc"
    [_, last] = (await cloud.page(order))["servers"]
    cloud.delete(last["id"])

    page = await cloud.page(f"{order}&marker={last['id']}")

    assert page["servers"] == []


@given(clouds(exact=False))
@_SETTINGS
async def test_servers_of_the_default_order_are_sorted_as_by_one_nova(pods: list[Nova]) -> None:
    one = Nova([row for nova in pods for row in nova.servers])

    assert await Cloud.of(pods).whole("") == await Cloud.of([one]).whole("")


def deep(pods: int, count: int) -> tuple[Cloud, list[str]]:
    """Make pods with servers of different seconds, by turns, and say their ids newest first."""
    rows = [Server(f"{number:05d}", number * 10) for number in range(count)]
    cloud = Cloud.of([Nova(rows[place::pods]) for place in range(pods)])
    return cloud, [row.id for row in reversed(rows)]


async def test_a_page_behind_a_known_one_costs_one_request_a_pod_however_deep() -> None:
    cloud, ids = deep(2, 2000)
    query, found = "limit=100", []
    for _ in range(10):
        for nova in cloud.pods.values():
            nova.queries.clear()
        page = [server["id"] for server in (await cloud.page(query))["servers"]]
        query = f"limit=100&marker={page[-1]}"
        found += page

    asked = [nova.queries for nova in cloud.pods.values()]
    assert found == ids[:1000]
    assert [len(queries) for queries in asked] == [1, 1]
    assert all(query["limit"] == str(share(100, 2)) for queries in asked for query in queries)


def dealt(shares: Sequence[float], count: int) -> tuple[Cloud, list[str]]:
    """Deal servers of different seconds to pods by chance; some get more than others."""
    random = Random(7)
    pods = [Nova([]) for _ in shares]
    for number in range(count):
        [pod] = random.choices(pods, shares)
        pod.servers.append(Server(f"{number:05d}", number * 10))
    return Cloud.of(pods), [f"{number:05d}" for number in reversed(range(count))]


@pytest.mark.parametrize(
    ("shares", "limit", "again", "carried"),
    [
        ([1] * 20, 1000, 0, 1.6),
        ([1] * 20, 100, 0, 3),
        ([1] * 20, 20, 0, 6),
        ([1] * 100, 1000, 0, 2.3),
        ([1] * 5, 1000, 0, 1.3),
        ([1000, *[1] * 19], 1000, 2, 1.2),
        ([1000, *[1] * 99], 1000, 4, 1.5),
        ([1000, *[1] * 19], 20, 2, 4),
        ([10] * 5 + [1] * 15, 1000, 5, 2.7),
    ],
)
async def test_few_questions_fill_a_page_and_little_is_carried_for_nothing(
    shares: Sequence[float], limit: int, again: int, carried: float
) -> None:
    cloud, ids = dealt(shares, 3000)

    page = await cloud.page(f"limit={limit}")

    assert [server["id"] for server in page["servers"]] == ids[:limit]
    asked = [query for nova in cloud.pods.values() for query in nova.queries]
    given = sum(nova.given for nova in cloud.pods.values())
    assert len(asked) <= len(shares) + again
    assert given <= limit * carried


class Turns:
    """Answers all that is asked at the same time at the same time, and counts the times."""

    def __init__(self, ask: Callable[[Pod, PodRequest], Awaitable[PodAnswer]]) -> None:
        self.count = 0
        self._ask = ask
        self._turn: asyncio.Task[None] | None = None

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        if self._turn is None:
            self._turn = asyncio.create_task(self._gather())
        await self._turn
        return await self._ask(pod, request)

    async def _gather(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        self.count += 1
        self._turn = None


@pytest.mark.parametrize(
    ("shares", "limit", "turns"),
    [
        ([1] * 20, 1000, 1),
        ([10] * 5 + [1] * 15, 1000, 2),
        ([10] * 10 + [1] * 10, 1000, 3),
        ([1000] * 3 + [1] * 17, 1000, 3),
        ([1000, *[1] * 19], 1000, 3),
    ],
)
async def test_pods_that_have_most_of_a_list_are_asked_again_at_the_same_time(
    shares: Sequence[float], limit: int, turns: int
) -> None:
    cloud, ids = dealt(shares, 3000)
    counted = Turns(cloud.envoy.pods.ask)
    cloud.envoy.pods.ask = counted.ask  # type: ignore[method-assign]

    page = await cloud.page(f"limit={limit}")

    assert [server["id"] for server in page["servers"]] == ids[:limit]
    assert counted.count <= turns


async def test_what_a_list_held_is_free_once_it_is_answered() -> None:
    cloud, _ = deep(2, 300)
    gc.collect()
    gc.disable()
    try:
        await cloud.page("limit=250")
        held = [entry for entry in gc.get_objects() if isinstance(entry, Items | Page)]
    finally:
        gc.enable()

    assert held == []


@pytest.mark.parametrize("known", [True, False])
async def test_without_that_page_the_store_says_where_to_begin(*, known: bool) -> None:
    cloud, ids = deep(2, 3500)
    for name, nova in cloud.pods.items():
        for row in nova.servers if known else ():
            created = datetime.fromisoformat(row.shown["created"])
            # The store is told a little later than the pod.
            owner = Owner(row.id, "server", name, "a1b2", created + timedelta(seconds=3))
            cloud.envoy.store.rows[row.id] = owner

    page = await cloud.page(f"limit=10&marker={ids[2999]}")

    assert [server["id"] for server in page["servers"]] == ids[3000:3010]
    counts = sorted(len(nova.queries) for nova in cloud.pods.values())
    # Who is not known to have the marker is asked for it; the rest is reading up to it.
    assert counts == ([1, 2] if known else [3, 3])


async def test_what_the_store_says_wrongly_is_not_believed() -> None:
    cloud, ids = deep(2, 100)
    for name, nova in cloud.pods.items():
        for row in nova.servers:
            cloud.envoy.store.rows[row.id] = Owner(
                row.id, "server", name, "a1b2", datetime(2027, 1, 1, tzinfo=UTC)
            )

    page = await cloud.page(f"limit=10&marker={ids[49]}")

    assert [server["id"] for server in page["servers"]] == ids[50:60]
