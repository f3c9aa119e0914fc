"""What `up` and `serve` share: what is prepared, and how signals stop the control plane."""

import asyncio
import os
import signal
import stat
from pathlib import Path

from control_plane.database.upgrade import upgrade
from control_plane.model.errors import StartupError
from control_plane.observability.logs import configure
from control_plane.settings import Settings

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


async def prepare(settings: Settings) -> asyncio.Event:
    """Set up logs, the runtime directory and the database; give the event that signals set."""
    configure(settings.log.level, settings.log.format)
    make_private(settings.runtime_directory)
    await upgrade(settings.database)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # A terminal that is closed stops it as Ctrl-C does, unless nohup said otherwise.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, stop.set)
    return stop


def make_private(directory: Path) -> None:
    """Make a directory of this user's alone; StartupError if another has made it.

    It may lie in /tmp, where anyone could put one of that name beforehand and own the socket
    through which pods are asked.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        message = f"{directory}: {error.strerror or error}"
        raise StartupError(message) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & _OTHERS:
        message = f"{directory} belongs to another user or is open to others; remove it"
        raise StartupError(message)
