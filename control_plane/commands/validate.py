"""`trio2o validate`: check a file without a control plane."""

from pathlib import Path

import click

from control_plane.administration.spec import PodSpec, check_all
from control_plane.commands.pod_file import read_documents, read_pods
from control_plane.database.engine import database_url
from control_plane.model.errors import Invalid, StartupError
from control_plane.settings import load


@click.command()
@click.option(
    "-f",
    "--filename",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="Settings (trio2o.yaml) or pods (as for apply).",
)
def validate(*, filename: Path) -> None:
    """Check a file of settings or of pods; nothing is asked of anyone."""
    if str(filename) != "-" and _holds_settings(read_documents(filename)):
        click.echo(f"{filename}: settings are valid, {_check_settings(filename)} pods")
    else:
        click.echo(f"{filename}: {len(read_pods(filename))} pods are valid")


def _holds_settings(documents: list[object]) -> bool:
    first = documents[0] if documents else None
    return isinstance(first, dict) and "name" not in first and set(first) != {"pods"}


def _check_settings(path: Path) -> int:
    settings = load(path)
    try:
        database_url(settings.database)
        check_all(map(PodSpec.read, settings.pods))
    except Invalid as error:
        message = f"{path}: pods: {error}"
        raise StartupError(message) from error
    except StartupError as error:
        message = f"{path}: {error}"
        raise StartupError(message) from error
    return len(settings.pods)
