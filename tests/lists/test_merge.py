"""The merged list against one sorted list, over generated pods, pages and ties."""

import json
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.lists.merge import Merge, Merged
from control_plane.lists.page import MalformedPage, Page, decode
from control_plane.lists.sequence import TOP, Place
from control_plane.lists.sequence import Sequence as Items
from control_plane.model.pod import Pod
from control_plane.services.operation import Resource, SortKey

SERVER = Resource(
    "server",
    "servers",
    order=(SortKey("created", descending=True), SortKey("id")),
)

Server = dict[str, object]


def as_pod_sorts(servers: Sequence[Server]) -> list[Server]:
    """Sort as Nova does: newest first, equal times by id; servers without a time last."""
    with_id = sorted(servers, key=lambda server: str(server["id"]))
    return sorted(
        with_id,
        key=lambda server: (server["created"] is not None, str(server["created"] or "")),
        reverse=True,
    )


def paged(servers: Sequence[Server], start: int, size: int) -> Page:
    """Answer one page as Nova does: a next link whenever the page is full."""
    part = servers[start : start + size]
    document: dict[str, object] = {"servers": list(part)}
    if len(part) == size:
        document["servers_links"] = [{"rel": "next", "href": "http://pod/next"}]
    return decode(json.dumps(document).encode(), SERVER, SERVER.order)


@st.composite
def clouds(draw: st.DrawFn) -> tuple[list[list[Server]], int]:
    """Draw up to four pods with servers of few distinct times, and a page size."""
    times = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-03-01"])
    ids = draw(st.lists(st.integers(0, 10**6), unique=True, max_size=60))
    pods: list[list[Server]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for number in ids:
        server: Server = {"id": f"{number:07d}", "created": draw(times)}
        pods[draw(st.integers(0, len(pods) - 1))].append(server)
    return [as_pod_sorts(servers) for servers in pods], draw(st.integers(1, 20))


def sequences(
    pods: Sequence[Sequence[Server]], size: int, places: dict[str, Place] | None = None
) -> list[Items]:
    """Open the lists of pods that give `size` items at once."""
    named = [Pod(str(n), f"Pod{n}", "az") for n in range(len(pods))]

    async def fetch(pod: Pod, place: Place) -> Page:
        servers = pods[named.index(pod)]
        ids = [server["id"] for server in servers]
        start = ids.index(place.after) + 1 if place.after else 0
        return paged(servers, start, size)

    return [Items(pod, (places or {}).get(pod.name, TOP), None, fetch) for pod in named]


async def merge(opened: Sequence[Items]) -> AsyncIterator[Merged]:
    """Merge to the end, reading on whenever what is held does not suffice."""
    merged, more = Merge(opened), True
    while more:
        for entry in merged.run():
            yield entry
        more = await merged.read_on()


@given(clouds())
@settings(deadline=None)
async def test_pods_that_sort_by_what_they_show_merge_into_one_sorted_list(
    cloud: tuple[list[list[Server]], int],
) -> None:
    pods, size = cloud

    merged = [entry.item.id async for entry in merge(sequences(pods, size))]

    expected = as_pod_sorts([server for servers in pods for server in servers])
    assert merged == [server["id"] for server in expected]


@given(clouds(), st.randoms())
@settings(deadline=None)
async def test_any_order_inside_a_pod_is_kept_and_nothing_is_lost_or_doubled(
    cloud: tuple[list[list[Server]], int], random: object
) -> None:
    pods, size = cloud
    for servers in pods:
        random.shuffle(servers)  # type: ignore[attr-defined]

    merged = [entry async for entry in merge(sequences(pods, size))]

    for number, servers in enumerate(pods):
        own = [entry.item.id for entry in merged if entry.pod.id == str(number)]
        assert own == [server["id"] for server in servers]


@given(clouds(), st.randoms(), st.integers(0, 60))
@settings(deadline=None)
async def test_a_merge_that_stops_anywhere_goes_on_from_where_its_sequences_stand(
    cloud: tuple[list[list[Server]], int], random: object, stop: int
) -> None:
    pods, size = cloud
    for servers in pods:
        random.shuffle(servers)  # type: ignore[attr-defined]
    whole = [entry.item.id async for entry in merge(sequences(pods, size))]

    opened, before = sequences(pods, size), []
    async for entry in merge(opened):
        before.append(entry.item.id)
        if len(before) >= stop:
            break
    places = {entry.pod.name: entry.finish() for entry in opened}
    after = [entry.item.id async for entry in merge(sequences(pods, size, places))]

    assert before + after == whole


async def test_what_is_not_consumed_is_not_read() -> None:
    asked: list[Place] = []

    async def fetch(_pod: Pod, place: Place) -> Page:
        asked.append(place)
        return paged([{"id": str(n), "created": None} for n in range(9)], place.taken, 3)

    opened = [Items(Pod("1", "Pod1", "az"), TOP, None, fetch)]
    async for entry in merge(opened):
        if entry.item.id == "2":
            break

    assert [place.taken for place in asked] == [0]


async def test_items_of_a_page_are_read_as_the_merge_comes_to_them() -> None:
    document = {"servers": [{"id": "1"}, {"id": "2"}, 3]}
    page = decode(json.dumps(document).encode(), SERVER, SERVER.order)

    async def fetch(_pod: Pod, _place: Place) -> Page:
        return page

    merged = Merge([Items(Pod("1", "Pod1", "az"), TOP, page, fetch)])
    assert merged.holds(None)
    run = merged.run()

    assert next(run).item.id == "1"
    with pytest.raises(MalformedPage):
        next(run)


@given(clouds(), st.integers(0, 60))
@settings(deadline=None)
async def test_what_is_held_is_given_and_nothing_asked(
    cloud: tuple[list[list[Server]], int], most: int
) -> None:
    pods, size = cloud
    opened = sequences(pods, size)
    for entry in opened:
        await entry.head()
    whole = [entry.item.id async for entry in merge(sequences(pods, size))]

    merged = Merge(opened)
    held, found = merged.holds(most), [entry.item.id for entry in merged.run()]

    assert found == whole[: len(found)]
    assert not held or found[:most] == whole[:most]
