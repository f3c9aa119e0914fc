"""`trio2o locate`: say which pod owns an id."""

from pathlib import Path

import click

from control_plane.commands.client import client_options, connect
from control_plane.commands.output import output_option, plain, write_document, write_table


@click.command()
@click.argument("id", metavar="ID")
@output_option("table", "json")
@client_options
def locate(*, id: str, output: str, config: Path | None, server: str | None) -> None:  # noqa: A002
    """Say which pod owns an id."""
    with connect(config, server) as client:
        found = client.locate(id)
    if output == "json":
        write_document(plain(found), output)
        return
    row = [found.id, found.resource, found.pod, found.availability_zone, found.project_id]
    write_table(["ID", "RESOURCE", "POD", "ZONE", "PROJECT", "KNOWN BY"], [[*row, found.source]])
