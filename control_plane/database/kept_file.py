"""SQLite's file, read and written on the spot; what would have to wait goes to a thread.

A look-up by key takes SQLite 10 µs and a small write 50. Giving them to a thread and waiting for
that takes ten times as much when nothing else runs, and as long as the machine likes when much
does: who is woken waits for its turn. So the event loop asks by itself. What the file says is
locked (another process writes; a log is recovered) is done by a thread that waits; so is what
follows a look-up that waited for the disk, since the machine does not have all of the file in
memory then, and the loop has more to do than to wait.

A thread also moves what was written from the log into the file, which is when the disk is waited
for: `synchronous=NORMAL` means that a transaction may be lost when the machine, not the process,
dies. Pods know what they have, and are asked for what is not in the database.
"""

import asyncio
import json
import resource
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Dialect

from control_plane.database.kept import Query, Rows, read
from control_plane.model.errors import StoreUnreachable

#: Holds the inner pages of an index of ten million ids: only leaves are read anew. KiB.
_CACHE = 32_768
_BUSY_SECONDS = 10.0
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_LOCKED})
#: A look-up that takes so long waited for the disk, if anything was read from it; else the machine
#: gave its turn to others, which a thread would not help. Seconds.
SLOW = 0.002
#: So many times as long a thread waits for the disk then: the loop spends a tenth of its time on it
#: at most.
_REST = 9
#: Writes after which the log is moved into the file.
_WRITES = 500

Result = TypeVar("Result")
_Work = Callable[[sqlite3.Connection], Result]


class KeptFile:
    """Two connections to one file, each opened when it is needed and anew when it fails."""

    def __init__(self, path: str, dialect: Dialect) -> None:
        """Take the file's path; nothing is opened yet."""
        self._path = path
        self._dialect = dialect
        self._texts: dict[Query, tuple[str, str, Any]] = {}
        #: Is told at once when it would have to wait.
        self._here: sqlite3.Connection | None = None
        #: Waits; the thread's own.
        self._there: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._written = 0
        self.slow = SLOW
        self.blocks = _blocks
        self._blocks_before = 0
        self._resting = 0.0

    def find_now(self, query: Query, values: Sequence[str]) -> Rows | None:
        """Read rows on the spot; None where the file is locked or on a slow disk."""
        start = time.perf_counter()
        if start < self._resting:
            return None
        rows = self._now(lambda connection: self._find(connection, query, values))
        end = time.perf_counter()
        if end - start > self.slow:
            blocks = self.blocks()
            if blocks != self._blocks_before:
                self._blocks_before, self._resting = blocks, end + _REST * (end - start)
        return rows

    async def find(self, query: Query, values: Sequence[str]) -> Rows:
        """Read rows, waiting if need be."""
        rows = self.find_now(query, values)
        if rows is not None:
            return rows
        return await self._in_thread(lambda connection: self._find(connection, query, values))

    async def write(self, text: str, parameters: Sequence[Any]) -> None:
        """Run one statement that is a transaction of its own, waiting if need be."""
        if self._now(lambda connection: connection.execute(text, parameters)) is None:
            await self._in_thread(lambda connection: connection.execute(text, parameters))
        self._written += 1
        if self._written % _WRITES == 0:
            self._thread.submit(self._tidy)

    async def close(self) -> None:
        """Close both connections."""
        _close(self._here)
        self._here = None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._leave)
        self._thread.shutdown()

    def _find(self, connection: sqlite3.Connection, query: Query, values: Sequence[str]) -> Rows:
        texts = self._texts.get(query)
        if texts is None:
            # One parameter however many values there are: one prepared statement.
            many = query.text("IN (SELECT value FROM json_each(?))")
            texts = query.text("= ?"), many, query.readers(self._dialect)
            self._texts[query] = texts
        one, many, readers = texts
        if len(values) == 1:
            return read(connection.execute(one, values).fetchall(), readers)
        return read(connection.execute(many, (json.dumps(values),)).fetchall(), readers)

    def _now(self, work: _Work[Result]) -> Result | None:
        try:
            if self._here is None:
                self._here = self._open(0.0)
                self._here.execute("PRAGMA wal_autocheckpoint=0")
            return work(self._here)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) not in _LOCKED:
                _close(self._here)
                self._here = None
            return None

    async def _in_thread(self, work: _Work[Result]) -> Result:
        def run() -> Result:
            try:
                if self._there is None:
                    self._there = self._open(_BUSY_SECONDS)
                return work(self._there)
            except sqlite3.Error as error:
                self._leave()
                raise StoreUnreachable(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _open(self, timeout: float) -> sqlite3.Connection:
        # Only one thread uses it at a time, but another may be the one that closes it.
        connection = sqlite3.connect(
            self._path, timeout, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size=-{_CACHE}")
        return connection

    def _tidy(self) -> None:
        """Move the log into the file; who reads or writes meanwhile is not kept waiting."""
        with suppress(sqlite3.Error):
            if self._there is None:
                self._there = self._open(_BUSY_SECONDS)
            self._there.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _leave(self) -> None:
        _close(self._there)
        self._there = None


def _blocks() -> int:
    """Count what this thread has had read from disks."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_inblock


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
