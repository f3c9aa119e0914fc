"""The `trio2o` command."""

from control_plane.commands.group import main

__all__ = ["main"]
