"""Where a command takes its settings from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from control_plane.settings import Settings, load

Function = TypeVar("Function", bound=Callable[..., Any])

_DEFAULT = Path("trio2o.yaml")


def config_option(*names: str) -> Callable[[Function], Function]:
    """Give a command the option for its settings, `-f` and `--config` unless named otherwise."""
    return click.option(
        *(names or ("-f", "--config")),
        "config",
        type=click.Path(path_type=Path),
        help="The settings. Default: ./trio2o.yaml if there is one, else $TRIO2O_CONFIG.",
    )


def find_config(given: Path | None) -> Path | None:
    """Find the file of settings; None when there is none and the environment must do."""
    if given is not None:
        return given
    if _DEFAULT.is_file():
        return _DEFAULT
    named = os.environ.get("TRIO2O_CONFIG")
    return Path(named) if named else None


def settings_of(given: Path | None) -> Settings:
    """Read the settings a command was given or finds; StartupError."""
    return load(find_config(given))
