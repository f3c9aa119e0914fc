"""A server of gRPC calls with several messages each way, for Envoy and nobody else.

What `words.py` is for exchanges of one message this is for conversations: headers, a body, the
answer's headers and body, or an answer streamed in pieces, each of which waits until Envoy has room
for it. grpcio spends some 0.2 ms on each message, whatever the handler does.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Self

import structlog

from control_plane.processor import frames
from control_plane.processor.words import Connection, Listener

log = structlog.get_logger()

#: What is taken of one stream: bodies are bounded by Envoy's buffer limit, far below.
_WINDOW = 1 << 26
#: What may wait to be sent on a connection before a stream waits, bytes.
_HELD = 1 << 20
#: From which size on a message is not held back for what follows, bytes.
_LARGE = 1 << 14

#: Holds a conversation: takes messages, gives messages.
Hold = Callable[["Inbox"], AsyncGenerator[bytes, None]]


class Inbox:
    """The messages of one stream as they come; ends when the other side has said all."""

    def __init__(self) -> None:
        """Begin with none."""
        self._messages: deque[bytes | None] = deque()
        self._waiting: asyncio.Future[None] | None = None

    def put(self, message: bytes | None) -> None:
        """Take a message, None for the end."""
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message = self._messages.popleft()
        if message is None:
            self._messages.append(None)
            raise StopAsyncIteration
        return message


class Streams(Listener):
    """Serves conversations."""

    def __init__(self, hold: Hold) -> None:
        """Take what holds conversations."""
        super().__init__()
        self.hold = hold

    def connection(self) -> Connection:
        """Make what serves one connection."""
        return _Connection(self)


class _Connection(Connection):
    """One of Envoy's connections."""

    window = _WINDOW

    def __init__(self, streams: Streams) -> None:
        super().__init__(streams)
        self._streams = streams
        self._inboxes: dict[int, Inbox] = {}
        #: Streams that wait for room, and whether the transport takes more.
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._paused = False

    def pause_writing(self) -> None:
        """Let streams wait: the socket is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """Let streams go on."""
        self._paused = False
        self._wake()

    def take(self, stream: int, flags: int, message: bytearray) -> None:
        """Hand whole messages to the stream's conversation, which the first one begins."""
        while (whole := frames.take_message(message)) is not None:
            inbox = self._inboxes.get(stream)
            if inbox is None:
                if not whole:
                    self._check(stream)
                    return
                inbox = self._inboxes[stream] = Inbox()
                self.tasks[stream] = asyncio.create_task(self._converse(stream, inbox))
            inbox.put(whole)
        if flags & frames.END_STREAM and stream in self._inboxes:
            self._inboxes[stream].put(None)

    async def _converse(self, stream: int, inbox: Inbox) -> None:
        begun = False
        try:
            async with aclosing(self._streams.hold(inbox)) as replies:
                async for reply in replies:
                    if not begun:
                        self._write(frames.answer(stream))
                        begun = True
                    await self._send(stream, frames.message(reply))
            if not begun:
                self._write(frames.answer(stream))
            self._write(frames.trailers(stream))
        except Exception:
            log.exception("conversation_failed")
            self._write(frames.reset(stream, frames.INTERNAL_ERROR))
        finally:
            self.tasks.pop(stream, None)
            self._forget(stream)

    async def _send(self, stream: int, content: bytes) -> None:
        """Send a message, waiting for room; nobody waits where there is enough.

        What is large goes out before more is made: uvloop sends when its loop turns, and Envoy has
        work of its own with the first piece of a list while the next is written.
        """
        is_large = len(content) > _LARGE
        left = memoryview(content)
        while left:
            size = min(self._room, self._window(stream), len(left))
            if size <= 0 or self._paused:
                waiting = self._waiting[stream] = asyncio.get_running_loop().create_future()
                try:
                    await waiting
                finally:
                    self._waiting.pop(stream, None)
                continue
            self._room -= size
            self._granted[stream] = self._granted.get(stream, 0) - size
            self._write(frames.data(stream, left[:size]))
            left = left[size:]
        if is_large:
            await asyncio.sleep(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_HELD)  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        """End all that works for it."""
        super().connection_lost(error)
        self._inboxes.clear()

    def _control(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        super()._control(kind, flags, stream, content)
        if kind in (frames.WINDOW_UPDATE, frames.SETTINGS):
            self._wake()

    def _end_of(self, stream: int) -> None:
        inbox = self._inboxes.get(stream)
        if inbox is not None:
            inbox.put(None)

    def _forget(self, stream: int) -> None:
        super()._forget(stream)
        self._inboxes.pop(stream, None)

    def _wake(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
