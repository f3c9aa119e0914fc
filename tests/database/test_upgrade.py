"""Migrations."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from control_plane.database import Store, upgrade
from control_plane.database.engine import open_engine
from control_plane.database.schema import metadata
from control_plane.model.errors import StartupError


async def test_the_revisions_lead_to_the_schema(database: str) -> None:
    def difference(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    engine = open_engine(database)
    async with engine.connect() as connection:
        found = await connection.run_sync(difference)
    await engine.dispose()

    assert found == []


async def test_replicas_that_start_at_once_upgrade_once(empty_database: str) -> None:
    await asyncio.gather(*(upgrade(empty_database) for _ in range(4)))

    await upgrade(empty_database)


async def test_a_schema_of_a_newer_release_is_one_line(database: str) -> None:
    engine = open_engine(database)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()

    with pytest.raises(StartupError, match="of a newer release"):
        await upgrade(database)


@pytest.mark.parametrize("empty_database", ["mysql"], indirect=True)
async def test_nobody_upgrades_while_another_one_does(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["control_plane.database.upgrade"]
    monkeypatch.setattr(module, "_LOCK_SECONDS", 1)
    engine = open_engine(empty_database)
    async with engine.connect() as connection:
        await connection.execute(text(f"SELECT GET_LOCK('trio2o-{module._LOCK}', 1)"))

        with pytest.raises(StartupError, match="another replica"):
            await upgrade(empty_database)
        tables = await connection.execute(text("SHOW TABLES"))

        assert tables.all() == []
    await engine.dispose()


async def test_a_file_that_another_has_locked_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "trio2o.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE theirs (id)")
    upgraded = asyncio.create_task(upgrade(f"sqlite:///{file}"))
    await asyncio.sleep(0.3)
    assert not upgraded.done()

    other.execute("COMMIT")
    other.close()

    await upgraded


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("trio2o.db", "not a URL"),
        ("oracle://host/trio2o", "oracle is none of"),
        ("sqlite://", "needs a file"),
        ("sqlite:////nowhere/at/all/trio2o.db", "unable to open"),
        ("postgresql://user:secret@127.0.0.1:1/trio2o", "database: "),
        ("mysql://user:secret@127.0.0.1:1/trio2o", "database: "),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_line(url: str, reason: str) -> None:
    with pytest.raises(StartupError, match=reason) as caught:
        await upgrade(url)

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_pods_of_an_older_schema_are_numbered_and_keep_their_bindings(
    empty_database: str,
) -> None:
    await upgrade(empty_database, "0001")
    engine = open_engine(empty_database)
    async with engine.begin() as connection:
        for number, name in enumerate(("b", "a"), start=1):
            await connection.execute(
                text(
                    "INSERT INTO pods (id, name, availability_zone, pod_availability_zone,"
                    " data_center, state, weight, labels, endpoints, created_at) VALUES"
                    f" ('{name}', '{name}', 'az', '', '', 'enabled', 1, '{{}}', '{{}}',"
                    f" '2026-01-0{number} 00:00:00')"
                )
            )
        await connection.execute(
            text(
                "INSERT INTO bindings (id, project_id, availability_zone, pod_id, created_at)"
                " VALUES ('1', 'project', 'az', 'a', '2026-01-01 00:00:00')"
            )
        )
    await engine.dispose()

    await upgrade(empty_database)
    store = Store.open(empty_database)
    fleet = await store.fleet()
    bindings = await store.bindings()
    await store.close()

    assert {pod.name: pod.number for pod in fleet} == {"b": 1, "a": 2}
    assert [binding.pod_id for binding in bindings] == ["a"]
