"""Connections to a server that are kept: one that asks and one that writes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from control_plane.database.kept import Query, Rows, read
from control_plane.database.unreachable import unreachable
from control_plane.model.errors import StoreUnreachable

#: How long a statement may take, and a connection with the first one, seconds. All who ask wait for
#: the one connection, and a server that is gone does not say so.
PATIENCE = 5.0

#: Gets the driver's own connection to PostgreSQL, and SQLAlchemy's to others.
_Work = Callable[[Any], Awaitable[Any]]
#: A statement and the values of its key.
_Key = tuple[Query, tuple[str, ...]]


class KeptConnections:
    """Reads on one connection and writes on another, one statement at a time on each."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take an engine whose statements each stand alone."""
        self._direct = engine.dialect.driver == "asyncpg"
        self._dialect = engine.dialect
        # What is lost when the server's machine dies is found by asking the pods, which know what
        # they have: nobody waits for a disk for its sake.
        setting = "SET synchronous_commit TO off" if self._direct else ""
        self._asking = _Line(engine, direct=self._direct)
        self._telling = _Line(engine, direct=self._direct, setting=setting)
        self._texts: dict[Query, tuple[str, Any]] = {}
        #: What waits to be asked, for all who want to know it.
        self._next: dict[_Key, asyncio.Task[Rows]] = {}

    def find_now(self, query: Query, values: Sequence[str]) -> Rows | None:  # noqa: ARG002
        """Say that a server must be waited for."""
        return None

    async def find(self, query: Query, values: Sequence[str]) -> Rows:
        """Read rows; who asks the same before it is sent shares the answer."""
        # PostgreSQL refuses to look for what no text of its can hold.
        key = (query, tuple(value for value in values if "\0" not in value))
        task = self._next.get(key)
        if task is None:
            work = self._asking.in_turn(lambda held: self._find(key, held))
            task = self._next[key] = asyncio.create_task(work)
            task.add_done_callback(lambda done: self._forget(key, done))
        # Not cancelled with who asks: others may wait, too.
        return await asyncio.shield(task)

    async def _find(self, key: _Key, held: Any) -> Rows:
        # Who asks from now on may know of more than this will see.
        self._next.pop(key, None)
        query, values = key
        if not self._direct:
            return await _select(held, query, values)
        text, readers = self._text(query)
        return read(await held.fetch(text, values, timeout=PATIENCE), readers)

    def _forget(self, key: _Key, done: "asyncio.Task[Rows]") -> None:
        if self._next.get(key) is done:
            del self._next[key]
        if not done.cancelled():
            # Who waited may have left: an error that nobody takes is not worth a line in the log.
            done.exception()

    def _text(self, query: Query) -> tuple[str, Any]:
        texts = self._texts.get(query)
        if texts is None:
            texts = query.text("= ANY($1)"), query.readers(self._dialect)
            self._texts[query] = texts
        return texts

    async def write(self, text: str, parameters: Sequence[Any]) -> None:
        """Run one statement that is a transaction of its own, in the driver's own form."""
        await self._telling.run(lambda held: held.execute(text, *parameters, timeout=PATIENCE))

    async def close(self) -> None:
        """Give the connections back to the engine, which closes them."""
        await self._asking.close()
        await self._telling.close()


class _Line:
    """One connection, opened when it is needed and anew when it fails; one at a time."""

    def __init__(self, engine: AsyncEngine, *, direct: bool, setting: str = "") -> None:
        self._engine = engine
        self._direct = direct
        self._setting = setting
        self._connection: AsyncConnection | None = None
        self._held: Any = None
        self._lock = asyncio.Lock()

    async def run(self, work: _Work) -> Any:
        """Have something done on the connection; StoreUnreachable."""
        # Not cancelled with who asks: half a query, or half a connection, is of use to nobody.
        return await asyncio.shield(asyncio.create_task(self.in_turn(work)))

    async def close(self) -> None:
        """Give the connection back."""
        async with self._lock:
            connection, self._connection, self._held = self._connection, None, None
            if connection is not None:
                await connection.close()

    async def in_turn(self, work: _Work) -> Any:
        """Have something done on the connection; who cancels it, cancels that."""
        if self._lock.locked():
            await self._wait()
        else:
            await self._lock.acquire()
        try:
            return await self._work(work)
        finally:
            self._lock.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._lock.acquire()
        except TimeoutError as error:
            raise StoreUnreachable(error) from error

    async def _work(self, work: _Work) -> Any:
        if self._held is not None:
            try:
                return await work(self._held)
            except Exception:  # noqa: BLE001  # the database may have been restarted
                await self._drop()
        try:
            with unreachable():
                async with asyncio.timeout(PATIENCE):
                    return await work(await self._open())
        except Exception:
            await self._drop()
            raise

    async def _open(self) -> Any:
        try:
            self._connection = self._held = await self._engine.connect()
        except Exception as error:
            raise StoreUnreachable(error) from error
        if self._direct:
            self._held = (await self._connection.get_raw_connection()).driver_connection
        if self._setting:
            await self._held.execute(self._setting)
        return self._held

    async def _drop(self) -> None:
        connection, self._connection, self._held = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                await connection.invalidate()
            with suppress(Exception):
                await connection.close()


async def _select(connection: AsyncConnection, query: Query, values: Sequence[str]) -> Rows:
    async with asyncio.timeout(PATIENCE):
        result = await connection.execute(select(*query.columns).where(query.key.in_(values)))
    return [tuple(row) for row in result]
