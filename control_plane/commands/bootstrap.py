"""`trio2o bootstrap`: print the bootstrap of an Envoy that runs elsewhere."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import click

from control_plane.commands.config import config_option, settings_of
from control_plane.settings import Address, Settings
from control_plane.xds.bootstrap import BootstrapOptions
from control_plane.xds.bootstrap import bootstrap as write_bootstrap


def bootstrap_text(settings: Settings, node_id: str, xds: Address | None = None) -> str:
    """Write an Envoy's bootstrap as JSON, which Envoy also reads as YAML."""
    processors, words = settings.processor.addresses, settings.processor.word_addresses
    if xds is not None:
        # The workers are where the rest of the control plane is.
        processors = tuple(replace(address, host=xds.host) for address in processors)
        words = tuple(replace(address, host=xds.host) for address in words)
    options = BootstrapOptions(
        node_id=node_id,
        xds=str(xds or settings.xds.listen),
        processors=tuple(map(str, processors)),
        words=tuple(map(str, words)),
        admin=str(settings.envoy.admin),
    )
    return json.dumps(write_bootstrap(options), indent=2)


@click.command()
@config_option()
@click.option("--node-id", help="The Envoy's name. Default: this host's.")
@click.option("--xds", metavar="HOST:PORT", help="Where the Envoy reaches the control plane.")
def bootstrap(*, config: Path | None, node_id: str | None, xds: str | None) -> None:
    """Print the bootstrap of an Envoy that runs elsewhere, as JSON."""
    settings = settings_of(config)
    try:
        address = Address.parse(xds) if xds else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--xds") from error
    click.echo(bootstrap_text(settings, node_id or socket.gethostname(), address))
