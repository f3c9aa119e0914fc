"""One worker's process, as the control plane holds it."""

import asyncio
import contextlib
import os
import socket
import sys
from typing import Self

from control_plane.workers.channel import Channel, ChannelClosed, Take
from control_plane.workers.notices import Start, Started
from control_plane.workers.worker import GRACE, PATIENCE

#: A list holds some megabytes and frees them: glibc would give them back to the kernel each time,
#: which clears them before the next list has them. Other allocators do not know these names.
_KEPT_FREE = {
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
}
#: What a worker does when it is asked to end takes no longer; then it is killed.
_KILL_AFTER = PATIENCE + GRACE + 1.0


class Member:
    """A process and the channel to it."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, channel: Channel) -> None:
        """Begin to hear it."""
        self.number = number
        #: Whether it listens and has not ended.
        self.serves = False
        self._process = process
        self._channel = channel
        self._hearing = asyncio.create_task(channel.run())
        self._posts: set[asyncio.Task[object]] = set()

    @classmethod
    async def spawn(cls, number: int, take: Take) -> Self:
        """Start a process; it knows nothing and serves nobody before `start`."""
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as unused, theirs:
            unused.enter_context(ours)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "control_plane.workers.process",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**_KEPT_FREE, **os.environ},
                # Ctrl-C must not end it before it has ended what is under way.
                start_new_session=True,
            )
            unused.pop_all()
        return cls(number, process, await Channel.over(ours, take))

    @property
    def pid(self) -> int:
        """The process' id."""
        return self._process.pid

    async def start(self, start: Start) -> str:
        """Let it listen; gives why it does not, empty when it does."""
        try:
            answer = await self._channel.tell(start)
        except ChannelClosed:
            return f"a worker ended with status {await self._process.wait()}"
        fault = answer.fault if isinstance(answer, Started) else "a worker did not start"
        self.serves = not fault
        return fault

    async def tell(self, notice: object) -> object:
        """Say a thing and wait for what comes of it; ChannelClosed."""
        return await self._channel.tell(notice)

    def post(self, notice: object) -> None:
        """Say a thing and do not wait."""

        async def tell() -> None:
            with contextlib.suppress(ChannelClosed):
                await self._channel.tell(notice)

        task: asyncio.Task[object] = asyncio.create_task(tell())
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def ended(self) -> int:
        """Wait until the process has ended, or has closed its channel and is ended for that."""
        exited = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait({exited, self._hearing}, return_when=asyncio.FIRST_COMPLETED)
            self.serves = False
            # One that ends closes its channel a moment before.
            await asyncio.wait({exited}, timeout=GRACE)
            if not exited.done():
                await self.stop()
            return await exited
        finally:
            exited.cancel()

    def kill(self) -> None:
        """End it at once."""
        self.serves = False
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """Ask it to end, and kill it when it does not."""
        self.serves = False
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _KILL_AFTER)
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self._channel.close()
        await asyncio.gather(self._hearing, *self._posts, return_exceptions=True)
