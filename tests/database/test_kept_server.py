"""Connections to a server: what many ask at once is sent once, and never answered from before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from control_plane.database import Store
from control_plane.database.kept_server import KeptConnections
from control_plane.model.errors import StoreUnreachable

_LOCK = {
    "postgresql": "LOCK TABLE copies IN ACCESS EXCLUSIVE MODE",
    "mysql": "LOCK TABLES copies WRITE",
}


@pytest.fixture
def kept(store: Store) -> KeptConnections:
    found = store.database.kept
    if not isinstance(found, KeptConnections):
        pytest.skip("a file is asked on the spot")
    return found


@pytest.fixture
def sent(kept: KeptConnections, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Give what grows with each statement."""
    sent: list[object] = []
    in_turn = kept._asking.in_turn

    def counting(work: Callable[[Any], Awaitable[Any]]) -> Awaitable[Any]:
        sent.append(work)
        return in_turn(work)

    monkeypatch.setattr(kept._asking, "in_turn", counting)
    return sent


def _ask(store: Store, count: int) -> list["asyncio.Task[bool]"]:
    return [asyncio.create_task(store.has_shadows("server_group", "Pod2")) for _ in range(count)]


@asynccontextmanager
async def _locked(store: Store) -> AsyncIterator[None]:
    """Have all that is asked of the table wait."""
    engine = store.database.engine
    async with engine.connect() as connection:
        await connection.execute(text(_LOCK[engine.dialect.name]))
        yield
        if engine.dialect.name == "mysql":
            await connection.execute(text("UNLOCK TABLES"))
        await connection.rollback()


async def test_those_who_wait_for_the_same_are_answered_at_once(
    store: Store, kept: KeptConnections, sent: list[object]
) -> None:
    await store.keep_shadow("server_group", "g", "Pod2", "s2")
    async with kept._asking._lock:
        asking = _ask(store, 8)
        await asyncio.sleep(0.05)
        asking[0].cancel()

    found = await asyncio.gather(*asking, return_exceptions=True)

    assert found[1:] == [True] * 7
    assert isinstance(found[0], asyncio.CancelledError)
    assert len(sent) == 1


async def test_who_asks_while_the_answer_is_on_its_way_has_another_sent(
    store: Store, replica: Store, kept: KeptConnections, sent: list[object]
) -> None:
    async with _locked(replica):
        early = _ask(store, 2)
        async with asyncio.timeout(10):
            while kept._next or not sent:  # noqa: ASYNC110  # until it is sent
                await asyncio.sleep(0.01)
        late = _ask(store, 2)
        await asyncio.sleep(0.05)

    assert await asyncio.gather(*early, *late) == [False] * 4
    assert len(sent) == 2


async def test_a_failure_is_told_to_all_and_the_next_one_asks_again(
    store: Store, kept: KeptConnections, sent: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        raise OSError("no server")

    with monkeypatch.context() as patch:
        patch.setattr(kept._asking, "_open", fails)
        failed = await asyncio.gather(*_ask(store, 3), return_exceptions=True)
    found = await asyncio.gather(*_ask(store, 3))

    assert [type(error) for error in failed] == [StoreUnreachable] * 3
    assert found == [False] * 3
    assert len(sent) == 2
