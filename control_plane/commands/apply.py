"""`trio2o apply`: make pods be as a file says."""

import time
from pathlib import Path

import click

from control_plane.administration.messages import spec_message
from control_plane.commands.client import CallError, Client, client_options, connect
from control_plane.commands.pod_file import read_pods
from control_plane.pb import administration_pb2 as pb

_POLL_SECONDS = 0.25


@click.command()
@click.option(
    "-f",
    "--filename",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="A YAML stream of pods, a list, or `pods:` with a list; - is standard input.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
@click.option("--wait", is_flag=True, help="Return when every Envoy has what was applied.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="How long to wait, seconds.",
)
@client_options
def apply(
    *,
    filename: Path,
    dry_run: bool,
    wait: bool,
    timeout: float,
    config: Path | None,
    server: str | None,
) -> None:
    """Make pods be as a file says: create those that are not there, change those that differ.

    A field that the file leaves out takes its default; the state stays as it is.
    """
    specs = read_pods(filename)
    with connect(config, server) as client:
        for result in client.apply(map(spec_message, specs), dry_run=dry_run):
            click.echo(_line(result, dry_run=dry_run))
        if wait and not dry_run:
            _wait(client, timeout)


def _line(result: pb.AppliedPod, *, dry_run: bool) -> str:
    outcome = pb.AppliedPod.Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower()
    fields = f": {', '.join(result.changed_fields)}" if result.changed_fields else ""
    suffix = " (dry run)" if dry_run else ""
    return f"pod {result.pod.name} {outcome}{fields}{suffix}"


def _wait(client: Client, timeout: float) -> None:
    """Ask until every connected Envoy is in sync; at once an error if one refuses."""
    end = time.monotonic() + timeout
    while True:
        proxies = client.proxies()
        entries = [(proxy.node, entry) for proxy in proxies for entry in proxy.resources]
        for node, entry in entries:
            if entry.state == pb.ProxyResources.STATE_NACK:
                message = f"Envoy {node} refuses {entry.type_url}: {entry.reason}"
                raise CallError(message)
        late = {node for node, entry in entries if entry.state != pb.ProxyResources.STATE_SYNCED}
        if entries and not late:
            click.echo(f"in sync: {len(proxies)} Envoy{'s' if len(proxies) > 1 else ''}")
            return
        if not time.monotonic() < end:  # nan: at once
            whom = ", ".join(sorted(late)) if late else "no Envoy is connected"
            message = f"applied, but not in sync after {timeout:g} s: {whom}"
            raise CallError(message)
        time.sleep(_POLL_SECONDS)
