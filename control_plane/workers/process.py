"""What runs in a worker's process: `python -m control_plane.workers.process FD`.

FD is its end of the pair of sockets over which it hears from the control plane. When the other end
is gone, however that came, the worker ends.
"""

import asyncio
import os
import signal
import socket
import sys

import structlog
import uvloop

from control_plane.model.errors import Trio2oError
from control_plane.observability.logs import configure
from control_plane.workers.channel import Channel, ChannelClosed
from control_plane.workers.notices import (
    Changed,
    CopiesChanged,
    Count,
    Counted,
    HoldersChanged,
    PlacesFound,
    Start,
    Started,
)
from control_plane.workers.worker import Worker

log = structlog.get_logger()


class Process:
    """Takes in what the control plane says."""

    def __init__(self) -> None:
        """Wait for `Start`, which is heard first."""
        self._worker: Worker | None = None
        self._channel: Channel | None = None

    async def run(self, end: socket.socket) -> None:
        """Serve until a signal comes or the control plane is gone."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        self._channel = await Channel.over(end, self._take)
        hearing = asyncio.create_task(self._channel.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([hearing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            log.error("control_plane_gone")
        if self._worker is not None:
            await self._worker.stop()
        # Asked twice, it still ends of itself.
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._channel.close()
        await asyncio.gather(hearing, return_exceptions=True)
        stopping.cancel()

    async def _take(self, notice: object) -> object:
        if isinstance(notice, Start):
            return await self._start(notice)
        worker = self._worker
        if worker is None:
            return None
        match notice:
            case Changed():
                worker.change(notice)
            case CopiesChanged(resource):
                await worker.copies.reload(resource)
            case HoldersChanged(resource, thing):
                worker.holders.drop(resource, thing)
            case PlacesFound(key, last, places):
                worker.cloud.cursors.keep(key, last, places)
            case Count():
                return Counted(tuple(worker.metrics.registry.collect()))
        return None

    async def _start(self, start: Start) -> Started:
        configure(start.settings.log.level, start.settings.log.format)
        structlog.contextvars.bind_contextvars(worker=start.number)
        try:
            self._worker = Worker(start.settings, self._tell)
            await self._worker.start(start)
        except Trio2oError as error:
            # Such as a database that is restarted: the next one may find it again.
            return Started(str(error))
        except Exception as error:
            log.exception("worker_not_started")
            return Started(f"a worker could not start: {' '.join(str(error).split())}")
        return Started()

    async def _tell(self, notice: object) -> None:
        """Have the other processes know; one that cannot be told is ended by the control plane."""
        if self._channel is None:
            return
        try:
            await self._channel.tell(notice)
        except ChannelClosed:
            log.warning("notice_not_told", notice=type(notice).__name__)


def main() -> None:
    """Run this process."""
    # Ctrl-C reaches a worker through the control plane only.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(Process().run(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    # No process is forked from this one.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    main()
