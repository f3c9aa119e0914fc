"""`trio2o up`: run the control plane in this process and Envoy as its child."""

import asyncio
import contextlib
import ctypes
import signal
import socket
from asyncio.subprocess import Process
from pathlib import Path

import click
import structlog
import uvloop

from control_plane import app
from control_plane.commands.bootstrap import bootstrap_text
from control_plane.commands.config import config_option, settings_of
from control_plane.commands.ports import check_ports, control_plane_ports, envoy_ports
from control_plane.commands.process import prepare
from control_plane.commands.quiet import quiet
from control_plane.model.address import Address
from control_plane.model.errors import StartupError
from control_plane.settings import Settings
from control_plane.xds.bootstrap import connections_here, envoy_command
from control_plane.xds.module import built_module

log = structlog.get_logger()

#: How long requests that are under way may go on once a signal has come, seconds.
_QUIET = 10.0
#: How long Envoy may take to end before it is killed, seconds.
_ENVOY_GRACE = 10.0
_PR_SET_PDEATHSIG = 1


@click.command()
@config_option()
def up(*, config: Path | None) -> None:
    """Run the control plane and Envoy together, in the foreground, until a signal comes."""
    uvloop.run(run_up(settings_of(config)))


async def run_up(settings: Settings) -> None:
    """Run both until a signal comes or one of them ends; StartupError if it was not asked to."""
    check_ports([*envoy_ports(settings), *control_plane_ports(settings)])
    command = write_command(settings)
    stop = await prepare(settings)
    config = settings.runtime_directory / "envoy.json"
    wanted = settings.envoy.module and settings.owner_cache.enabled
    module = built_module() if wanted else None
    text = bootstrap_text(
        settings,
        socket.gethostname(),
        connections=connections_here(),
        module=str(module or ""),
    )
    config.write_text(text, encoding="utf-8")

    plane_stop = asyncio.Event()
    plane = asyncio.create_task(app.run(settings, plane_stop))
    asked = asyncio.create_task(stop.wait())
    envoy: Process | None = None
    try:
        if await _listens(settings.xds.listen, plane, asked):
            envoy = await start_envoy(command)
            log.info(
                "envoy_started",
                pid=envoy.pid,
                listen=str(settings.listen),
                known_ids="module" if module else "lua",
            )
            ended = asyncio.create_task(envoy.wait())
            await asyncio.wait({plane, asked, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not stop.is_set():
                raise StartupError(_end_of(ended.result(), module))
    finally:
        if envoy is not None:
            if stop.is_set() and not plane.done():
                await quiet(settings.envoy.admin, _QUIET)
            await end_envoy(envoy)
        asked.cancel()
        early = plane.done() and not stop.is_set()
        plane_stop.set()
        await asyncio.wait({plane})
    # Raises what the control plane ended with.
    plane.result()
    if early:
        message = "the control plane ended"
        raise StartupError(message)


def write_command(settings: Settings) -> list[str]:
    """Write the command that runs Envoy; StartupError if there is no Envoy."""
    return envoy_command(settings.runtime_directory / "envoy.json", settings.envoy.concurrency)


def _end_of(status: int, module: Path | None) -> str:
    """Say how Envoy ended; a module that is cut off or made for another Envoy kills it."""
    hint = (
        " (with envoy.module: false it does not load the module)" if module and status < 0 else ""
    )
    return f"Envoy ended with status {status}{hint}"


async def start_envoy(command: list[str]) -> Process:
    """Start Envoy in a process group of its own, so that Ctrl-C reaches it through us only."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


async def end_envoy(envoy: Process) -> None:
    """Ask Envoy to end, and kill it when it does not."""
    with contextlib.suppress(ProcessLookupError):
        envoy.terminate()
    try:
        await asyncio.wait_for(envoy.wait(), _ENVOY_GRACE)
    except TimeoutError:
        log.warning("envoy_killed", pid=envoy.pid)
        with contextlib.suppress(ProcessLookupError):
            envoy.kill()
        await envoy.wait()


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # Otherwise an Envoy whose control plane was killed would keep the port for ever.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _listens(
    address: Address, plane: "asyncio.Task[None]", asked: "asyncio.Task[bool]"
) -> bool:
    """Wait until the control plane accepts connections; False when one of the tasks ends first."""
    while not plane.done() and not asked.done():
        try:
            _, writer = await asyncio.open_connection(address.host, address.port)
        except OSError:
            await asyncio.wait({plane, asked}, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        else:
            writer.close()
            return True
    return False
