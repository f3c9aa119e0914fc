"""One database, whichever of the three it is: how it is opened, read and written.

Reads run in autocommit, so that looking up an owner is one round trip. Writes are functions that
take a connection inside a transaction: they are run again when the database ends the transaction
in favour of another one, which happens as soon as several replicas write.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from control_plane.database.kept import Kept
from control_plane.database.kept_file import KeptFile
from control_plane.database.kept_server import KeptConnections
from control_plane.database.unreachable import code_of, leave_readers, unreachable
from control_plane.model.errors import StartupError, StoreUnreachable

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
}
_ATTEMPTS = 8
#: Deadlock and serialization failure (PostgreSQL); deadlock and lock wait (MySQL).
_RETRIED = frozenset({"40P01", "40001", 1213, 1205})
_BUSY_MILLISECONDS = 10_000
#: How long a server may take, seconds. One whose machine is gone never says so: without an end to
#: waiting, who asks it would wait until the kernel gives the connection up, a quarter of an hour.
_PATIENCE = 10.0

Result = TypeVar("Result")
#: The parameters of a statement: of one row, or of many.
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def database_url(text: str) -> URL:
    """Read `sqlite:///…`, `postgresql://…` or `mysql://…`, and name the asyncio driver.

    Raises StartupError, without the text: it may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # ValueError: a port that is no number.
        message = "database: not a URL of the form sqlite:///…, postgresql://… or mysql://…"
        raise StartupError(message) from error
    dialect = url.drivername.partition("+")[0]
    if dialect not in _DRIVERS:
        message = f"database: {dialect} is none of sqlite, postgresql and mysql"
        raise StartupError(message)
    if dialect == "sqlite" and url.database in (None, "", ":memory:"):
        message = "database: SQLite needs a file, sqlite:///trio2o.db"
        raise StartupError(message)
    url = url.set(drivername=_DRIVERS[dialect])
    if url.drivername == "mysql+aiomysql":
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url


def open_engine(text: str) -> AsyncEngine:
    """Make the engine of a database; nothing is connected yet."""
    url = database_url(text)
    options: dict[str, Any] = {"pool_pre_ping": url.get_backend_name() != "sqlite"}
    if url.get_backend_name() == "mysql":
        # A read after a write of another replica must see it: no snapshot older than a statement.
        options["isolation_level"] = "READ COMMITTED"
    try:
        engine = create_async_engine(url, **options)
    except (ImportError, NoSuchModuleError) as error:
        backend = url.get_backend_name()
        message = f"database: the driver is missing; install trio2o[{backend}]"
        raise StartupError(message) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        event.listen(engine.sync_engine, "handle_error", leave_readers)
    return engine


def _unpooled(engine: AsyncEngine) -> AsyncEngine:
    """Make an engine of the same database that opens each connection anew.

    What takes the place of a connection that was lost must not be one that was lost with it.
    """
    return create_async_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    try:
        _set_up_sqlite(connection)
    except BaseException:
        # SQLAlchemy forgets it, and it has a thread.
        connection.close()
        raise


def _set_up_sqlite(connection: Any) -> None:
    cursor = connection.cursor()
    # First, since switching to WAL takes a lock itself.
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads and then writes fails at once, whatever busy_timeout says, when
    # another wrote in between. Taking the lock first makes it wait instead.
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """An engine, and the two ways in which the tables use it."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the engine over; `close` disposes of it."""
        self.engine = engine
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.kept: Kept
        self._patience: float | None = None
        if self.dialect == "sqlite":
            # A file is waited for as long as `busy_timeout` says.
            self.kept = KeptFile(str(engine.url.database), engine.dialect)
        else:
            self.kept = KeptConnections(_unpooled(engine))
            self._patience = _PATIENCE

    @property
    def dialect(self) -> str:
        """`sqlite`, `postgresql` or `mysql` (MariaDB too)."""
        return self.engine.dialect.name

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection on which each statement stands alone; StoreUnreachable."""
        with unreachable():
            async with self._connected(self._autocommit) as connection:
                yield connection

    async def write(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Run `work` in a transaction, again from its start if the database says so.

        Raises StoreUnreachable, and what the database says of the rows.
        """
        with unreachable():
            return await self._write(work)

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._connected(self.engine) as connection, connection.begin():
                    return await work(connection)
            except DBAPIError as error:
                if attempt == _ATTEMPTS or not _may_be_tried_again(error):
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with asyncio.timeout(self._patience), AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.connect())
            except DBAPIError:
                raise
            except Exception as error:
                # Not all that a driver raises while it connects is known to SQLAlchemy.
                raise StoreUnreachable(error) from error
            yield connection

    async def execute(self, statement: Executable, rows: Parameters | None = None) -> None:
        """Run one statement that writes, in a transaction as `write` does."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement, rows)

        await self.write(work)

    async def close(self) -> None:
        """Close all connections."""
        await self.kept.close()
        await self.engine.dispose()


def _may_be_tried_again(error: DBAPIError) -> bool:
    return code_of(error) in _RETRIED or is_locked(error)


def is_locked(error: DBAPIError) -> bool:
    """Whether SQLite refused because another connection has the file, and did not wait for it."""
    return "database is locked" in str(error.orig)
