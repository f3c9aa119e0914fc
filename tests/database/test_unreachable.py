"""A database that is gone, or that answers on no connection it had before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from control_plane.database import Store, engine, kept_server
from control_plane.model.errors import StoreUnreachable
from control_plane.model.owner import Owner

OWNER = Owner("a1", "server", "Pod1", "p1")

pytestmark = pytest.mark.parametrize("empty_database", ["postgresql", "mysql"], indirect=True)

#: What is asked in each way there is to ask.
ASKED: list[Callable[[Store], Awaitable[object]]] = [
    lambda store: store.owner("a1"),
    lambda store: store.mark_deleted("b2"),
    lambda store: store.fleet(),
    lambda store: store.put_fact("Pod1", "key", "value"),
]


class Way:
    """Leads to a server; what went over it once can be made to go nowhere."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self.server: asyncio.Server | None = None

    async def begin(self) -> int:
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        ways = {writer, back}
        self._open |= ways
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                if writer not in self._silent:
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    def silence(self) -> None:
        """Let connections stand and carry nothing, as when the server's machine is gone."""
        self._silent |= self._open

    async def cut(self) -> None:
        """Close all connections and take no more."""
        if self.server is not None:
            self.server.close()
        for writer in self._open:
            writer.close()


@pytest.fixture
async def way(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Way, Store]]:
    monkeypatch.setattr(engine, "_PATIENCE", 0.5)
    monkeypatch.setattr(kept_server, "PATIENCE", 0.5)
    url = make_url(database)
    way = Way(url.host or "", url.port or 0)
    port = await way.begin()
    store = Store.open(url.set(port=port).render_as_string(hide_password=False))
    yield way, store
    await store.close()
    await way.cut()


async def _ask_all(store: Store) -> list[object]:
    return await asyncio.gather(*(ask(store) for ask in ASKED), return_exceptions=True)


async def test_connections_that_went_silent_are_given_up(way: tuple[Way, Store]) -> None:
    server, store = way
    await store.record([OWNER])
    await _ask_all(store)

    server.silence()
    first = await _ask_all(store)
    second = await _ask_all(store)

    # Who asks for an owner waits for the new connection.
    assert first[0] == second[0]
    assert isinstance(first[0], Owner)
    assert all(isinstance(entry, StoreUnreachable) for entry in first[2:])
    assert not any(isinstance(entry, Exception) for entry in second)


async def test_a_server_that_is_gone_is_told_from_one_that_refuses(way: tuple[Way, Store]) -> None:
    server, store = way
    await _ask_all(store)

    await server.cut()
    answers = await _ask_all(store)

    assert [type(answer) for answer in answers] == [StoreUnreachable] * len(ASKED)
    assert "\n" not in str(answers[0])


async def test_an_id_that_no_text_can_hold_is_nobodys(store: Store) -> None:
    assert await store.owner("a1\0") is None
    assert await store.pods_of(["a1\0"]) == {}


async def test_a_server_that_only_reads_now_is_left(store: Store) -> None:
    only_read = {
        "postgresql": "SET default_transaction_read_only = on",
        "mysql": "SET SESSION TRANSACTION READ ONLY",
    }
    async with store.database.engine.connect() as connection:
        await connection.execute(text(only_read[store.database.dialect]))
        await connection.commit()

    with pytest.raises(StoreUnreachable):
        await store.put_fact("Pod1", "key", "value")
    await store.put_fact("Pod1", "key", "value")

    assert await store.facts("Pod1") == {"key": "value"}
