"""Migrations."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from control_plane.database import upgrade
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


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("trio2o.db", "not a URL"),
        ("oracle://host/trio2o", "oracle is none of"),
        ("sqlite://", "needs a file"),
        ("sqlite:////nowhere/at/all/trio2o.db", "unable to open"),
        ("postgresql://user:secret@127.0.0.1:1/trio2o", "database: "),
        ("mysql://user:secret@127.0.0.1:1/trio2o", "database: "),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_line(url: str, text: str) -> None:
    with pytest.raises(StartupError, match=text) as caught:
        await upgrade(url)

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
