"""`trio2o proxy-status`: show what each Envoy has accepted."""

from pathlib import Path

import click

from control_plane.commands.client import client_options, connect
from control_plane.commands.output import output_option, plain, write_document, write_table
from control_plane.pb import administration_pb2 as pb


@click.command()
@output_option("table", "json")
@client_options
def proxy_status(*, output: str, config: Path | None, server: str | None) -> None:
    """Show each Envoy and each type of resource: SYNCED, STALE, or NACK with the reason."""
    with connect(config, server) as client:
        found = client.proxies()
    if output == "json":
        write_document({"proxies": [plain(proxy) for proxy in found]}, output)
        return
    rows = [
        [
            proxy.node,
            entry.type_url.rpartition(".")[2],
            pb.ProxyResources.State.Name(entry.state).removeprefix("STATE_"),
            entry.sent_version,
            entry.acknowledged_version,
            entry.reason,
        ]
        for proxy in found
        for entry in proxy.resources
    ]
    write_table(["NODE", "TYPE", "STATE", "SENT", "ACKNOWLEDGED", "REASON"], rows)
