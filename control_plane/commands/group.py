"""The list of commands; the module of one is imported when it is run.

So `trio2o --help` does not wait for gRPC and SQLAlchemy. An error of ours ends a command with one
line on stderr and status 1; click ends a wrong usage with status 2.
"""

import importlib
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click

from control_plane.model.errors import Trio2oError

#: Command: where it is, and what the list says of it.
_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "up": ("up:up", "Run the control plane and Envoy together, in the foreground."),
        "serve": ("serve:serve", "Run the control plane only."),
        "bootstrap": ("bootstrap:bootstrap", "Print the bootstrap of an Envoy run elsewhere."),
        "db": ("db:db", "Bring the database to the present schema."),
        "validate": ("validate:validate", "Check a file of settings or pods."),
        "apply": ("apply:apply", "Make pods be as a file says."),
        "get": ("get:get", "List pods, bindings, zones or pending writes."),
        "describe": ("describe:describe", "Show all of one pod."),
        "delete": ("delete:delete", "Take a pod out."),
        "cordon": ("cordon:cordon", "Have a pod take no more creates."),
        "uncordon": ("cordon:uncordon", "Have a pod take creates again."),
        "locate": ("locate:locate", "Say which pod owns an id."),
        "proxy-status": ("proxy_status:proxy_status", "Show what each Envoy has accepted."),
        "operations": ("operations:operations", "List the endpoints and how each is handled."),
    }
)


class Group(click.Group):
    """A group that imports a command when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        # Read when gRPC is imported; our only child becomes Envoy at once and never speaks gRPC.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        module, _, name = entry[0].partition(":")
        found = getattr(importlib.import_module(f"control_plane.commands.{module}"), name)
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and end it with one line where it raises an error of ours."""
        try:
            return super().invoke(ctx)
        except Trio2oError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trio2o")
def main() -> None:
    """Many OpenStack clouds as one."""
