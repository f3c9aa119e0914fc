"""`trio2o delete`: take a pod out."""

from pathlib import Path

import click

from control_plane.commands.client import client_options, connect


@click.group()
def delete() -> None:
    """Take a pod out."""


@delete.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Also if it owns resources: users lose sight of them.")
@client_options
def pod(*, name: str, force: bool, config: Path | None, server: str | None) -> None:
    """Take a pod out; what is in it stays as it is."""
    with connect(config, server) as client:
        client.delete_pod(name, force=force)
    click.echo(f"pod {name} deleted")
