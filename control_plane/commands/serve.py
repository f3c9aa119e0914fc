"""`trio2o serve`: run the control plane only."""

from pathlib import Path

import click
import uvloop

from control_plane import app
from control_plane.commands.config import config_option, settings_of
from control_plane.commands.ports import check_ports, control_plane_ports
from control_plane.commands.process import prepare
from control_plane.settings import Settings


@click.command()
@config_option()
def serve(*, config: Path | None) -> None:
    """Run the control plane only; Envoys elsewhere start with what `trio2o bootstrap` prints."""
    uvloop.run(_serve(settings_of(config)))


async def _serve(settings: Settings) -> None:
    check_ports(control_plane_ports(settings))
    stop = await prepare(settings)
    await app.run(settings, stop)
