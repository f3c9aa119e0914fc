"""The directory: look-ups in a table of millions of rows, and owners kept in memory."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from sqlalchemy import text
from sqlalchemy.engine import make_url

from control_plane.database import Store, upgrade
from control_plane.database.engine import open_engine
from control_plane.directory.lookup import Directory
from control_plane.model.address import SocketPath
from control_plane.observability.metrics import Metrics
from control_plane.pods.client import PodClient
from tests.bench import remembered
from tests.bench.machine import Neighbours, Process
from tests.bench.rounds import Figures, Goal, Result, summarise
from tests.bench.scale import Scale

_PODS = 50
#: Look-ups at once under load.
_AT_ONCE = 64
_PROJECTS = 1_000


def run(folder: Path, scale: Scale) -> Result:
    """Fill a database, look ids up that were never looked up, then learn owners."""
    result = Result("directory")
    databases = {"SQLite": f"sqlite:///{folder}/directory.db"}
    with _postgresql(scale.postgresql) as server:
        if server:
            databases["PostgreSQL"] = server
        neighbours = Neighbours(asyncio.run(_processes(server)) if server else [])
        for name, url in databases.items():
            asyncio.run(upgrade(url))
            start = time.monotonic()
            ids = (_fill_sqlite if name == "SQLite" else _fill_postgresql)(url, scale)
            result.facts[f"{name} filled s"] = time.monotonic() - start
            rounds = [
                uvloop.run(_look_up(url, ids[number :: scale.rounds], scale.seconds))
                for number in range(scale.rounds)
            ]
            result.variants[name] = summarise(rounds)
            result.goals.append(Goal(f"{name} p99", result.figure(name, "p99"), 1.0, "ms"))
    used = _remembered(scale.known)
    result.neighbours = neighbours.cores()
    result.facts["MiB for owners in memory"] = used
    result.goals.append(Goal(f"{scale.known} owners in memory", used, 300.0, "MiB"))
    result.notes += [
        f"{scale.rows} rows; one look-up after the other, then {_AT_ONCE} at once",
        "each id is asked for once, through the Directory as a request does",
    ]
    return result


async def _look_up(url: str, ids: list[str], seconds: float) -> Figures:
    store = Store.open(url)
    directory = Directory(store, PodClient(SocketPath("/nowhere"), None, 1.0, Metrics()), Metrics())  # type: ignore[arg-type]
    waiting = iter(ids)
    for _ in range(50):
        await directory.known(next(waiting))
    alone: list[float] = []
    end = time.perf_counter() + seconds / 2
    while (start := time.perf_counter()) < end:
        assert await directory.known(next(waiting)) is not None
        alone.append((time.perf_counter() - start) * 1000)

    together: list[float] = []
    cpu, begun = time.process_time(), time.perf_counter()
    end = begun + seconds / 2

    async def worker() -> None:
        while (start := time.perf_counter()) < end:
            found = next(waiting, None)
            if found is None:
                return
            assert await directory.known(found) is not None
            together.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    cpu, lasted = time.process_time() - cpu, time.perf_counter() - begun
    await store.close()
    alone.sort()
    together.sort()
    return {
        "p50": alone[len(alone) // 2],
        "p99": alone[len(alone) * 99 // 100],
        "rate": len(together) / lasted,
        "p50 together": together[len(together) // 2],
        "p99 together": together[len(together) * 99 // 100],
        "cpu us": cpu / len(together) * 1e6,
    }


def _sample(scale: Scale) -> int:
    return min(scale.rows, 400_000)


def _fill_sqlite(url: str, scale: Scale) -> list[str]:
    """Insert rows whose ids are as random as UUIDs, and give some of them in any order."""
    path = make_url(url).database or ""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        # The indexes would double the time while rows come in no order.
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE tbl_name='owners' AND sql LIKE 'CREATE INDEX%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(
            "CREATE TEMP TABLE fresh AS WITH RECURSIVE n(i) AS"
            f" (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {scale.rows}),"
            " h(i, x) AS (SELECT i, lower(hex(randomblob(16))) FROM n)"
            " SELECT substr(x,1,8)||'-'||substr(x,9,4)||'-'||substr(x,13,4)||'-'||substr(x,17,4)"
            "||'-'||substr(x,21) AS id, i FROM h"
        )
        connection.execute(
            "INSERT INTO owners (id, resource, pod, project_id, created_at)"
            f" SELECT id, 'server', 'Pod'||(i % {_PODS}), printf('%032x', i % {_PROJECTS}),"
            " '2026-01-01 00:00:00.000000' FROM fresh ORDER BY id"
        )
        for _, statement in indexes:
            connection.execute(statement)
        step = max(1, scale.rows // _sample(scale))
        rows = connection.execute(f"SELECT id FROM fresh WHERE i % {step} = 0")
        ids = [row[0] for row in rows]
        connection.execute("DROP TABLE fresh")
    connection.close()
    random.shuffle(ids)
    return ids


def _fill_postgresql(url: str, scale: Scale) -> list[str]:
    async def work() -> list[str]:
        engine = open_engine(url)
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO owners (id, resource, pod, project_id, created_at)"
                    f" SELECT gen_random_uuid()::text, 'server', 'Pod' || (i % {_PODS}),"
                    f" lpad(to_hex(i % {_PROJECTS}), 32, '0'), now()"
                    f" FROM generate_series(1, {scale.rows}) AS i"
                )
            )
            share = 100 * _sample(scale) / scale.rows
            rows = await connection.execute(
                text(f"SELECT id FROM owners TABLESAMPLE BERNOULLI ({share})")
            )
            ids = [row[0] for row in rows]
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("ANALYZE owners"))
        await engine.dispose()
        return ids

    ids = asyncio.run(work())
    random.shuffle(ids)
    return ids


@contextmanager
def _postgresql(server: str) -> Iterator[str]:
    """Make a database on a server for the time of the block; empty without a server."""
    if not server:
        yield ""
        return
    name = f"trio2o_bench_{uuid.uuid4().hex}"

    async def execute(statement: str) -> None:
        engine = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


async def _processes(server: str) -> list[Process]:
    """Give a server's first process, if it runs on this machine."""
    engine = open_engine(server)
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT pg_backend_pid()"))).one()
        ours = Process("PostgreSQL", row[0])
        found = [Process(ours.name, ours.parent)] if ours.command == "postgres" else []
    await engine.dispose()
    return found


def _remembered(count: int) -> float:
    """Learn owners in a process of its own; MiB that this took."""
    command = [sys.executable, "-m", remembered.__name__, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
