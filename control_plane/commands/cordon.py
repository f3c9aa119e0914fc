"""`trio2o cordon` and `uncordon`: whether a pod takes creates."""

from pathlib import Path

import click

from control_plane.commands.client import client_options, connect
from control_plane.model.pod import PodState


@click.command()
@click.argument("name")
@client_options
def cordon(*, name: str, config: Path | None, server: str | None) -> None:
    """Have a pod take no more creates; it keeps serving what it has."""
    with connect(config, server) as client:
        client.set_state(name, PodState.CORDONED.value)
    click.echo(f"pod {name} cordoned")


@click.command()
@click.argument("name")
@client_options
def uncordon(*, name: str, config: Path | None, server: str | None) -> None:
    """Have a pod take creates again."""
    with connect(config, server) as client:
        client.set_state(name, PodState.ENABLED.value)
    click.echo(f"pod {name} uncordoned")
