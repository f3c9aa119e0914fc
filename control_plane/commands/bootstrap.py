"""`trio2o bootstrap`: print the bootstrap of an Envoy that runs elsewhere."""

import json
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from control_plane.commands.config import config_option, settings_of
from control_plane.model.address import Address, AnyAddress
from control_plane.model.errors import StartupError
from control_plane.settings import Settings
from control_plane.xds.bootstrap import BootstrapOptions
from control_plane.xds.bootstrap import bootstrap as write_bootstrap

#: Names of this host for itself.
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def bootstrap_text(
    settings: Settings,
    node_id: str,
    xds: Address | None = None,
    connections: int | None = None,
    module: str = "",
) -> str:
    """Write an Envoy's bootstrap as JSON, which Envoy also reads as YAML.

    `connections`: the most that clients may have, where it is known what the machine can hold.
    `module`: where that machine has the module of known ids, if it does.
    """
    processors, words = settings.processors, settings.words
    if xds is not None and xds.host not in _HERE:
        processors, words = _elsewhere(processors, xds.host), _elsewhere(words, xds.host)
    options = BootstrapOptions(
        node_id=node_id,
        xds=str(xds or settings.xds.listen),
        processors=tuple(map(str, processors)),
        words=tuple(map(str, words)),
        admin=str(settings.envoy.admin),
        module=module,
    )
    if connections is not None:
        options = replace(options, max_connections=connections)
    return json.dumps(write_bootstrap(options), indent=2)


def _elsewhere(addresses: Iterable[AnyAddress], host: str) -> tuple[AnyAddress, ...]:
    """Say where another host finds the workers: where the rest of the control plane is."""
    found = []
    for address in addresses:
        if not isinstance(address, Address):
            message = (
                f"{address}: an Envoy elsewhere cannot reach this socket;"
                " set envoy.egress, processor.listen and processor.words to host:port"
            )
            raise StartupError(message)
        found.append(replace(address, host=host))
    return tuple(found)


@click.command()
@config_option()
@click.option("--node-id", help="The Envoy's name. Default: this host's.")
@click.option("--xds", metavar="HOST:PORT", help="Where the Envoy reaches the control plane.")
@click.option(
    "--module",
    metavar="PATH",
    default="",
    help="Where the Envoy's machine has libtrio2o_known_ids.so. Default: it has none.",
)
def bootstrap(*, config: Path | None, node_id: str | None, xds: str | None, module: str) -> None:
    """Print the bootstrap of an Envoy that runs elsewhere, as JSON."""
    settings = settings_of(config)
    try:
        address = Address.parse(xds) if xds else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--xds") from error
    if module and not Path(module).is_absolute():
        message = f"{module}: give the whole path"
        raise click.BadParameter(message, param_hint="--module")
    click.echo(bootstrap_text(settings, node_id or socket.gethostname(), address, module=module))
