"""One query for all that wait, one question an id."""

import asyncio
from collections.abc import Sequence

import pytest

from control_plane.directory.reads import AT_ONCE, Reads


class Store:
    """Answers when it is let; keeps what it was asked."""

    def __init__(self, **pods: str) -> None:
        self.pods = pods
        self.asked: list[list[str]] = []
        self.open = asyncio.Event()
        self.fault: Exception | None = None

    def pods_now(self, ids: object) -> None:
        """Must be waited for."""

    async def pods_of(self, ids: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(ids))
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return {entry: self.pods[entry] for entry in ids if entry in self.pods}


async def _start(reads: Reads, *ids: str) -> list[asyncio.Task[str | None]]:
    tasks = [asyncio.create_task(reads.pod(entry)) for entry in ids]
    await asyncio.sleep(0.01)
    return tasks


async def test_those_that_come_while_a_query_is_under_way_share_the_next() -> None:
    store = Store(a="Pod1", c="Pod2")
    reads = Reads(store)

    first = await _start(reads, "a")
    later = await _start(reads, "b", "c", "a", "b")
    store.open.set()

    assert await asyncio.gather(*first, *later) == ["Pod1", None, "Pod2", "Pod1", None]
    assert store.asked == [["a"], ["b", "c"]]


async def test_a_query_holds_so_many_ids_and_no_more() -> None:
    store = Store()
    reads = Reads(store)
    wanted = [str(number) for number in range(AT_ONCE + 2)]

    tasks = await _start(reads, "first", *wanted)
    store.open.set()
    await asyncio.gather(*tasks)

    assert sorted(entry for query in store.asked for entry in query) == sorted(["first", *wanted])
    assert max(len(query) for query in store.asked) == AT_ONCE


async def test_a_failure_is_told_to_all_who_wait_and_the_next_query_is_made() -> None:
    store = Store(a="Pod1")
    reads = Reads(store)
    store.fault = OSError("gone")
    store.open.set()

    for outcome in await asyncio.gather(*await _start(reads, "a", "a"), return_exceptions=True):
        assert isinstance(outcome, OSError)
    store.fault = None

    assert await reads.pod("a") == "Pod1"


async def test_who_leaves_takes_nothing_from_who_stays() -> None:
    store = Store(a="Pod1")
    reads = Reads(store)
    leaving, staying = await _start(reads, "a", "a")

    leaving.cancel()
    await asyncio.sleep(0)
    store.open.set()

    assert await staying == "Pod1"
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert store.asked == [["a"]]


async def test_a_failure_that_nobody_waits_for_is_no_noise() -> None:
    store = Store()
    store.fault = OSError("gone")
    reads = Reads(store)
    noise: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))

    (leaving,) = await _start(reads, "a")
    leaving.cancel()
    store.open.set()
    await asyncio.sleep(0.01)

    assert noise == []
