"""A server of gRPC calls that take one message and give one, for Envoy and nobody else.

grpcio needs several times as long for such a call as the processor for its decision. What is left
out here is what makes gRPC general: a port has one method, so that no header is decoded; a call has
one message each way; there is no compression, no deadline, no metadata. An empty message is the
question of a health check (grpc.health.v1), which a port with one method need not tell by its path.

A stream that Envoy resets has ended normally: what works for it is cancelled.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import structlog

from control_plane.model.address import Address, AnyAddress
from control_plane.processor import frames

log = structlog.get_logger()

#: What is taken of one call: Envoy's limit on request headers is far below.
_WINDOW = 1 << 20
#: The connection's window is opened wide, and again when half of it is used.
_REPLENISH = 1 << 30
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"

#: Answers a message.
Say = Callable[[bytes], Awaitable[bytes]]


class Listener(ABC):
    """Listens for Envoy, and knows the connections."""

    def __init__(self) -> None:
        """Serve from the start on."""
        self.serving = True
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, address: AnyAddress) -> None:
        """Listen; OSError when that cannot be."""
        loop = asyncio.get_running_loop()
        if isinstance(address, Address):
            self._server = await loop.create_server(self.connection, address.host, address.port)
            return
        # The loop takes away what one that died has left there.
        self._server = await loop.create_unix_server(self.connection, address.path)
        _open_to_group(address.path)

    @abstractmethod
    def connection(self) -> "Connection":
        """Make what serves one connection."""

    async def stop(self, grace: float) -> None:
        """Take no more calls and let those under way end."""
        self.serving = False
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.go_away()
        tasks = [task for connection in self.connections for task in connection.tasks.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for connection in list(self.connections):
            connection.close()


def _open_to_group(path: str) -> None:
    """Let the group connect: the control plane and Envoy may run as different users."""
    Path(path).chmod(0o660)


class Words(Listener):
    """Serves calls of one message."""

    def __init__(self, say: Say) -> None:
        """Take what answers."""
        super().__init__()
        self.say = say

    def connection(self) -> "Connection":
        """Make what serves one connection."""
        return _Connection(self)


class Connection(asyncio.Protocol, ABC):
    """One of Envoy's connections; what a stream's messages mean is for who inherits it."""

    #: What is taken of one stream, bytes.
    window = _WINDOW

    def __init__(self, listener: Listener) -> None:
        """Wait for the preface."""
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._greeted = False
        self._used = 0
        self._calls: dict[int, bytearray] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        #: How much Envoy takes of the connection, and of a stream at first.
        self._room = frames.DEFAULT_WINDOW
        self._initial = frames.DEFAULT_WINDOW
        #: What Envoy takes of a stream beside its first window, and what is still to be sent.
        self._granted: dict[int, int] = {}
        self._unsent: dict[int, bytes] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._listener.connections.add(self)
        self._write(frames.greeting(self.window))

    def connection_lost(self, _: Exception | None) -> None:
        """End all that works for it."""
        self._listener.connections.discard(self)
        self._transport = None
        for task in self.tasks.values():
            task.cancel()

    def data_received(self, data: bytes) -> None:
        """Act on the frames that are whole."""
        self._buffer += data
        if not self._greeted:
            if len(self._buffer) < len(frames.PREFACE):
                return
            if not self._buffer.startswith(frames.PREFACE):
                self.close()
                return
            del self._buffer[: len(frames.PREFACE)]
            self._greeted = True
        for kind, flags, stream, content in frames.read(self._buffer):
            if kind == frames.DATA:
                self._take(stream, flags, content)
            elif kind == frames.HEADERS:
                if not flags & frames.END_STREAM:
                    self._calls.setdefault(stream, bytearray())
                else:
                    self._end_of(stream)
            elif kind == frames.RST_STREAM:
                self._forget(stream)
            else:
                self._control(kind, flags, stream, content)

    def _control(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind == frames.WINDOW_UPDATE:
            self._widen(stream, int.from_bytes(content, "big"))
        elif kind == frames.SETTINGS and not flags & frames.ACK:
            self._settle(content)
        elif kind == frames.PING and not flags & frames.ACK:
            self._write(frames.frame(frames.PING, frames.ACK, 0, content))

    def go_away(self) -> None:
        """Have Envoy send new calls elsewhere."""
        self._write(frames.goaway())

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _take(self, stream: int, flags: int, content: bytes) -> None:
        self._used += len(content)
        if self._used >= _REPLENISH:
            self._write(frames.window_update(self._used))
            self._used = 0
        message = self._calls.get(stream)
        if message is None:
            return
        message += frames.unpadded(flags, content)
        if len(message) > self.window:
            self._forget(stream)
            self._write(frames.reset(stream, frames.ENHANCE_YOUR_CALM))
            return
        self.take(stream, flags, message)

    @abstractmethod
    def take(self, stream: int, flags: int, message: bytearray) -> None:
        """Act on what has come of a stream, taking whole messages off it."""

    def _check(self, stream: int) -> None:
        """Answer a health check."""
        self._calls.pop(stream, None)
        self._answer(stream, SERVING if self._listener.serving else NOT_SERVING)

    def _answer(self, stream: int, message: bytes) -> None:
        content = frames.message(message)
        if self._unsent or len(content) > min(self._room, self._window(stream)):
            self._write(frames.answer(stream))
            self._unsent[stream] = content
            self._flush()
            return
        self._room -= len(content)
        self._granted.pop(stream, None)
        self._write(frames.answer(stream) + frames.data(stream, content) + frames.end(stream))

    def _flush(self) -> None:
        """Send of what waits as much as Envoy takes."""
        for stream, content in list(self._unsent.items()):
            size = min(self._room, self._window(stream), len(content))
            if size > 0:
                self._room -= size
                self._granted[stream] = self._granted.get(stream, 0) - size
                self._write(frames.data(stream, content[:size]))
            if size == len(content):
                self._forget(stream)
                self._write(frames.end(stream))
            elif size > 0:
                self._unsent[stream] = content[size:]

    def _window(self, stream: int) -> int:
        return self._initial + self._granted.get(stream, 0)

    def _widen(self, stream: int, more: int) -> None:
        if not stream:
            self._room += more
        elif stream in self._calls or stream in self.tasks or stream in self._unsent:
            self._granted[stream] = self._granted.get(stream, 0) + more
        if self._unsent:
            self._flush()

    def _settle(self, content: bytes) -> None:
        initial = frames.initial_window(content)
        if initial is not None:
            self._initial = initial
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0, b""))
        if self._unsent:
            self._flush()

    def _end_of(self, stream: int) -> None:
        """Note that Envoy has said all on a stream."""

    def _forget(self, stream: int) -> None:
        self._calls.pop(stream, None)
        self._granted.pop(stream, None)
        self._unsent.pop(stream, None)
        task = self.tasks.get(stream)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


class _Connection(Connection):
    """A connection with calls of one message."""

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self._words = words

    def take(self, stream: int, _: int, message: bytearray) -> None:
        """Answer the one message of a call, once it is whole."""
        whole = frames.take_message(message)
        if whole is None:
            return
        # What follows on the stream is not wanted: this is a call of one message.
        del self._calls[stream]
        if not whole:
            self._check(stream)
            return
        self.tasks[stream] = asyncio.create_task(self._serve(stream, whole))

    async def _serve(self, stream: int, message: bytes) -> None:
        try:
            answer = await self._words.say(message)
        except Exception:
            log.exception("word_failed")
            self._write(frames.reset(stream, frames.INTERNAL_ERROR))
        else:
            self._answer(stream, answer)
        finally:
            self.tasks.pop(stream, None)
