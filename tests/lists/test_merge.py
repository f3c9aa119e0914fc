"""The merged list against one sorted list, over generated pods, pages and ties."""

import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.lists.merge import merge
from control_plane.lists.page import Page, decode
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


@given(clouds())
@settings(deadline=None)
async def test_pods_that_sort_by_what_they_show_merge_into_one_sorted_list(
    cloud: tuple[list[list[Server]], int],
) -> None:
    pods, size = cloud
    named = [Pod(str(n), f"Pod{n}", "az") for n in range(len(pods))]

    async def fetch(pod: Pod, marker: str | None) -> Page:
        servers = pods[named.index(pod)]
        start = next(n for n, server in enumerate(servers) if server["id"] == marker) + 1
        return paged(servers, start, size)

    first = [(pod, paged(servers, 0, size)) for pod, servers in zip(named, pods, strict=True)]
    merged = [entry.item.id async for entry in merge(first, fetch)]

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
    named = [Pod(str(n), f"Pod{n}", "az") for n in range(len(pods))]

    async def fetch(pod: Pod, marker: str | None) -> Page:
        servers = pods[named.index(pod)]
        start = next(n for n, server in enumerate(servers) if server["id"] == marker) + 1
        return paged(servers, start, size)

    first = [(pod, paged(servers, 0, size)) for pod, servers in zip(named, pods, strict=True)]
    merged = [entry async for entry in merge(first, fetch)]

    for pod, servers in zip(named, pods, strict=True):
        own = [entry.item.id for entry in merged if entry.pod is pod]
        assert own == [server["id"] for server in servers]
