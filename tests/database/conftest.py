"""The same tests over SQLite, PostgreSQL and MariaDB.

`TRIO2O_TEST_POSTGRESQL=postgresql://user@host/` and `TRIO2O_TEST_MYSQL=mysql://user@host/` name
servers on which databases may be made and dropped. Where PostgreSQL is installed a throwaway
server is started.
"""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from control_plane.database import Store, upgrade
from control_plane.database.engine import open_engine
from tests.database import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server."""
    if named := os.environ.get("TRIO2O_TEST_POSTGRESQL"):
        yield named
        return
    programs = postgresql.programs()
    if programs is None:
        pytest.skip("TRIO2O_TEST_POSTGRESQL names no server and none is installed")
    with postgresql.running(programs) as url:
        yield url


@pytest.fixture(scope="session")
def mysql_server() -> str:
    """Give the URL of a MariaDB or MySQL server."""
    named = os.environ.get("TRIO2O_TEST_MYSQL")
    if not named:
        pytest.skip("TRIO2O_TEST_MYSQL names no server")
    return named


async def _execute(url: str, statement: str) -> None:
    engine = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Give the URL of a database that has no tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/trio2o.db"
        return
    server = request.getfixturevalue(f"{request.param}_server")
    name = f"trio2o_{uuid.uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    await _execute(server, f"DROP DATABASE {name}")


@pytest.fixture
async def database(empty_database: str) -> str:
    """Give the URL of a database with the present schema."""
    await upgrade(empty_database)
    return empty_database


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """Give the store of an empty database."""
    store = Store.open(database)
    yield store
    await store.close()


@pytest.fixture
async def replica(database: str) -> AsyncIterator[Store]:
    """Give a second store of the same database, as another replica has it."""
    store = Store.open(database)
    yield store
    await store.close()
