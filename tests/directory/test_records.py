"""One transaction for all that wait, and each caller's own outcome."""

import asyncio
from collections.abc import Iterable

import pytest

from control_plane.directory.records import AT_ONCE, Records
from control_plane.model.errors import StoreUnreachable
from control_plane.model.owner import Owner


class Store:
    """Writes when it is let; refuses one id."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.open = asyncio.Event()
        self.refused = ""
        self.gone = False
        self.tries = 0

    async def record(self, owners: Iterable[Owner]) -> None:
        ids = [owner.id for owner in owners]
        await self.open.wait()
        self.tries += 1
        if self.gone:
            raise StoreUnreachable(TimeoutError())
        if self.refused in ids:
            raise OSError(self.refused)
        self.written.append(ids)


def _owners(*ids: str) -> list[Owner]:
    return [Owner(entry, "server", "Pod1") for entry in ids]


async def _start(records: Records, *groups: str) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(records.write(_owners(*group.split()))) for group in groups]
    await asyncio.sleep(0.01)
    return tasks


async def test_those_that_come_while_a_transaction_is_under_way_share_the_next() -> None:
    store = Store()
    records = Records(store)

    tasks = await _start(records, "a")
    tasks += await _start(records, "b", "c d", "e")
    store.open.set()
    await asyncio.gather(*tasks)

    assert store.written == [["a"], ["b", "c", "d", "e"]]


async def test_nobody_is_answered_before_the_transaction_has_ended() -> None:
    store = Store()
    (task,) = await _start(Records(store), "a")

    assert not task.done()

    store.open.set()
    await task


async def test_an_id_is_written_as_often_and_in_the_order_it_came() -> None:
    store = Store()
    records = Records(store)

    tasks = await _start(records, "first")
    tasks += await _start(records, "a", "b", "a")
    store.open.set()
    await asyncio.gather(*tasks)

    assert store.written == [["first"], ["a", "b"], ["a"]]


async def test_a_transaction_holds_so_many_and_no_more() -> None:
    store = Store()
    records = Records(store)

    tasks = await _start(records, "first", *(str(number) for number in range(AT_ONCE + 5)))
    store.open.set()
    await asyncio.gather(*tasks)

    assert max(len(ids) for ids in store.written) == AT_ONCE
    assert len({entry for ids in store.written for entry in ids}) == AT_ONCE + 6


async def test_what_cannot_be_written_fails_its_own_caller_alone() -> None:
    store = Store()
    store.refused = "bad"
    records = Records(store)

    first = await _start(records, "first")
    good, bad, fine = await _start(records, "a", "bad b", "c")
    store.open.set()
    await asyncio.gather(*first, good, fine)

    with pytest.raises(OSError, match="bad"):
        await bad
    assert store.written == [["first"], ["a"], ["c"]]


async def test_a_store_that_is_gone_is_asked_once_for_all_that_wait() -> None:
    store = Store()
    store.gone = True
    records = Records(store)

    tasks = await _start(records, "a")
    tasks += await _start(records, "b", "c", "d")
    store.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(answer) for answer in answers] == [StoreUnreachable] * 4
    assert store.tries == 2


async def test_who_leaves_takes_nothing_from_the_store() -> None:
    store = Store()
    (leaving,) = await _start(Records(store), "a")

    leaving.cancel()
    store.open.set()
    await asyncio.sleep(0.01)

    assert store.written == [["a"]]
