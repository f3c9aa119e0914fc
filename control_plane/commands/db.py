"""`trio2o db`: the database's schema."""

import asyncio
from pathlib import Path

import click

from control_plane.commands.config import config_option, settings_of
from control_plane.database.upgrade import upgrade as upgrade_database


@click.group()
def db() -> None:
    """Bring the database to the present schema."""


@db.command()
@config_option()
def upgrade(*, config: Path | None) -> None:
    """Bring the database to the present schema, from any earlier one or from nothing."""
    asyncio.run(upgrade_database(settings_of(config).database))
    click.echo("the database is up to date")
