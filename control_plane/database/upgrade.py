"""Bring a database to the present schema, by the revisions in `migrations`."""

import asyncio
import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from control_plane.database.engine import is_locked, open_engine
from control_plane.model.errors import StartupError

_MIGRATIONS = Path(__file__).parent / "migrations"
#: Names the lock under which replicas that start together upgrade one after the other.
_LOCK = 7_312_026
_LOCK_SECONDS = 60
_LOOK_SECONDS = 0.05


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to the present schema, from any earlier one or from nothing.

    A test of a migration names an earlier `revision` to stop at.

    Raises StartupError when the database cannot be reached or refuses.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            # A connection of the engine that cannot be opened leaves a thread behind for a moment.
            sqlite3.connect(str(engine.url.database)).close()
        await _upgrade_in_turn(engine, revision)
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        message = "database: its schema is of a newer release than this one"
        raise StartupError(message) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        message = f"database: {' '.join(str(cause).split())}"
        raise StartupError(message) from error
    finally:
        await engine.dispose()


async def _upgrade_in_turn(engine: AsyncEngine, revision: str) -> None:
    """Upgrade when nobody else does.

    SQLite waits for a transaction, and for nobody when a new file is switched to its log: the first
    of several who start at once has the file until it is done.
    """
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, revision)
        except DBAPIError as error:
            if not is_locked(error) or time.monotonic() >= end:
                raise
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            return


def _upgrade(connection: Connection, revision: str) -> None:
    # SQLite needs no lock of its own: the transaction began with its write lock.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    elif connection.dialect.name == "mysql":
        parameters = {"lock": f"trio2o-{_LOCK}", "seconds": _LOCK_SECONDS}
        taken = connection.execute(text("SELECT GET_LOCK(:lock, :seconds)"), parameters).scalar()
        if not taken:
            message = f"database: another replica has been upgrading it for {_LOCK_SECONDS} s"
            raise StartupError(message)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
