"""Requests byte for byte, which no client of HTTP would send."""

import asyncio
import re

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")


async def exchange(host: str, port: int, text: bytes) -> bytes:
    """Send a request of HTTP/1 and read its answer, or until Envoy closes."""
    reader, writer = await asyncio.open_connection(host, port)
    answer = b""
    try:
        writer.write(text)
        await writer.drain()
        async with asyncio.timeout(5):
            while not _is_whole(answer) and (piece := await reader.read(65536)):
                answer += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def _is_whole(answer: bytes) -> bool:
    """Whether nothing more comes: Envoy waits a second for clients it closes on to close first."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])
