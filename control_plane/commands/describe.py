"""`trio2o describe`: show all of one thing."""

from pathlib import Path

import click

from control_plane.commands.client import client_options, connect
from control_plane.commands.output import output_option, plain, write_document


@click.group()
def describe() -> None:
    """Show all of one pod."""


@describe.command()
@click.argument("name")
@output_option("yaml", "json")
@client_options
def pod(*, name: str, output: str, config: Path | None, server: str | None) -> None:
    """Show a pod, its resources, the projects bound to it, and what it lacks of the others'."""
    with connect(config, server) as client:
        found = client.pod(name)
        bindings = client.bindings(pod=name)
    # JSON writes 64-bit numbers as text.
    content = {**plain(found), "resources": found.resources, "pending": found.pending}
    content["bound_projects"] = sorted({binding.project_id for binding in bindings})
    write_document(content, output)
