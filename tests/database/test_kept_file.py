"""SQLite's file, asked on the spot and, when somebody else has it, by a thread that waits."""

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.database import Store, upgrade
from control_plane.database.kept_file import KeptFile
from control_plane.model.owner import Owner


def _kept(store: Store) -> KeptFile:
    kept = store.database.kept
    assert isinstance(kept, KeptFile)
    return kept


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    path = tmp_path / "trio2o.db"
    await upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
async def store(file: Path) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite:///{file}")
    # However slow the machine is.
    _kept(store).slow = math.inf
    yield store
    await store.close()


async def test_a_look_up_is_answered_while_another_writes(store: Store, file: Path) -> None:
    await store.record([Owner("a", "server", "Pod1")])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    found = store.pods_now(["a"])

    other.execute("ROLLBACK")
    other.close()
    assert found == {"a": "Pod1"}


async def test_a_write_waits_for_another_and_the_loop_does_not(store: Store, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.create_task(store.record([Owner("a", "server", "Pod1")]))
    await asyncio.sleep(0.05)
    assert not writing.done()
    assert store.pods_now(["a"]) == {}

    other.execute("COMMIT")
    other.close()
    await writing
    assert store.pods_now(["a"]) == {"a": "Pod1"}


async def test_a_file_that_lets_nobody_read_is_waited_for(file: Path) -> None:
    first = Store.open(f"sqlite:///{file}")
    await first.record([Owner("a", "server", "Pod1")])
    await first.close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("BEGIN EXCLUSIVE")
    store = Store.open(f"sqlite:///{file}")

    assert store.pods_now(["a"]) is None
    reading = asyncio.create_task(store.pods_of(["a"]))
    await asyncio.sleep(0.05)
    assert not reading.done()

    other.execute("COMMIT")
    other.close()
    assert await reading == {"a": "Pod1"}
    await store.close()


async def test_what_was_written_is_moved_into_the_file(store: Store, file: Path) -> None:
    kept = _kept(store)

    for number in range(500):
        await store.record([Owner(str(number), "server", "Pod1")])
    await asyncio.get_running_loop().run_in_executor(kept._thread, lambda: None)

    # The log's frames are all in the file, so that the file alone has them.
    alone = sqlite3.connect(f"file:{file}?immutable=1", uri=True)
    assert alone.execute("SELECT count(*) FROM owners").fetchone() == (500,)
    alone.close()


async def test_what_the_schema_refuses_is_raised(store: Store) -> None:
    with pytest.raises(Exception, match="NOT NULL"):
        await store.record([Owner("a", None, "Pod1")])  # type: ignore[arg-type]
    assert store.pods_now(["a"]) == {}


async def test_after_a_look_up_that_waited_for_the_disk_a_thread_looks_up(store: Store) -> None:
    await store.record([Owner("a", "server", "Pod1")])
    kept = _kept(store)
    kept.slow = -1.0
    kept.blocks = lambda: 8
    kept._blocks_before = 0

    assert store.pods_now(["a"]) == {"a": "Pod1"}
    assert kept._resting > 0.0
    kept._resting = math.inf
    assert store.pods_now(["a"]) is None
    assert await store.pods_of(["a"]) == {"a": "Pod1"}

    kept._resting = 0.0
    assert store.pods_now(["a"]) == {"a": "Pod1"}


async def test_a_look_up_that_only_took_long_changes_nothing(store: Store) -> None:
    kept = _kept(store)
    kept.slow = -1.0
    kept.blocks = lambda: 8
    kept._blocks_before = 8

    assert store.pods_now(["a"]) == {}
    assert store.pods_now(["a"]) == {}
