"""Words between the control plane and one of its workers, over a pair of sockets.

Either side says a thing and waits until the other has taken it in. What the other is busy with
does not hold that up: everything heard is taken in by a task of its own, begun in the order in
which it was said.
"""

import asyncio
import pickle
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

import structlog

from control_plane.model.errors import Trio2oError

log = structlog.get_logger()

_LENGTH = 4

#: Takes in what was said; what it gives goes back to who said it.
Take = Callable[[object], Awaitable[object]]


class ChannelClosed(Trio2oError):
    """The other side is gone, or could not take in what it was told."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A thing said, or what came of the one with the same number."""

    number: int
    content: object
    is_answer: bool = False
    failed: bool = False


class Channel:
    """One side of a pair of sockets."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take
    ) -> None:
        """Take the stream over; nothing is heard before `run`."""
        self._reader = reader
        self._writer = writer
        self._take = take
        self._number = 0
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def over(cls, end: socket.socket, take: Take) -> Self:
        """Speak over one end of a pair of stream sockets."""
        reader, writer = await asyncio.open_connection(sock=end)
        return cls(reader, writer, take)

    async def tell(self, content: object) -> object:
        """Say a thing and wait for what comes of it; ChannelClosed when nothing will."""
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._number += 1
        number = self._number
        self._waiting[number] = future
        try:
            self._send(_Frame(number, content))
            return await future
        finally:
            self._waiting.pop(number, None)

    async def run(self) -> None:
        """Hear the other side until it is gone."""
        try:
            while True:
                length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
                data = await self._reader.readexactly(length)
                # Written by the process that started this one, or that this one started.
                self._hear(pickle.loads(data))  # noqa: S301
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Speak and hear no more; who waits is told so."""
        self._closed = True
        self._writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_closed())

    def _hear(self, frame: _Frame) -> None:
        if not frame.is_answer:
            task = asyncio.create_task(self._answer(frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        future = self._waiting.get(frame.number)
        if future is None or future.done():
            return
        if frame.failed:
            future.set_exception(_closed())
        else:
            future.set_result(frame.content)

    async def _answer(self, frame: _Frame) -> None:
        try:
            answer = _Frame(frame.number, await self._take(frame.content), is_answer=True)
        except Exception:
            log.exception("notice_not_taken", notice=type(frame.content).__name__)
            answer = _Frame(frame.number, None, is_answer=True, failed=True)
        if not self._closed:
            self._send(answer)

    def _send(self, frame: _Frame) -> None:
        if self._closed:
            raise _closed()
        data = pickle.dumps(frame)
        self._writer.write(len(data).to_bytes(_LENGTH, "big") + data)


def _closed() -> ChannelClosed:
    message = "the other process does not answer"
    return ChannelClosed(message)
