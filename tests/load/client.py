"""A client of one HTTP/1.1 connection that costs little, so that many can share a core."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

#: Longer than the gateway waits for anything.
_PATIENCE = 120.0
_LONGEST_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Sends one request after the other; opens itself, again when the server has closed it."""

    def __init__(self, port: int, number: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.number = number
        self._port = port
        self._tls = tls
        self._head = f"host: localhost:{port}\r\nx-auth-token: user{number % 8}\r\n"
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        left = self._open
        self.close()
        if left is not None:
            with suppress(OSError):
                await left[1].wait_closed()

    def close(self) -> None:
        """Leave the server."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and read its answer to the end; OSError or EOFError when that breaks."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        if body:
            lines += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        elif method not in ("GET", "HEAD"):
            lines += "content-length: 0\r\n"
        if self._open is None:
            name = "localhost" if self._tls is not None else None
            self._open = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=self._tls, server_hostname=name, limit=_LONGEST_HEAD
            )
        reader, writer = self._open
        try:
            async with asyncio.timeout(_PATIENCE):
                head = f"{method} {path} HTTP/1.1\r\n{self._head}{lines}\r\n"
                writer.write(head.encode() + body)
                answer = await _read(reader)
        except BaseException:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer


async def _read(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readexactly(2)
        return Answer(status, headers, b"".join(pieces))
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", 0))))
