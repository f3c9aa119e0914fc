"""Requests byte for byte, which no client of HTTP would send."""

import asyncio
import re

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)

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


async def exchange_h2(host: str, port: int, headers: list[tuple[str, str]]) -> bytes:
    """Send headers over HTTP/2 as they are; give the answer in the form of HTTP/1, or its end."""
    reader, writer = await asyncio.open_connection(host, port)
    connection = H2Connection(
        H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    )
    head, body = b"", b""
    try:
        connection.initiate_connection()
        connection.send_headers(1, headers, end_stream=True)
        writer.write(connection.data_to_send())
        async with asyncio.timeout(5):
            while piece := await reader.read(65536):
                for event in connection.receive_data(piece):
                    if isinstance(event, ResponseReceived):
                        head = b"\r\n".join(
                            b"%s: %s" % (name, value) for name, value in event.headers
                        )
                    elif isinstance(event, DataReceived):
                        body += event.data
                    elif isinstance(event, StreamEnded):
                        return head + b"\r\n\r\n" + body
                    elif isinstance(event, StreamReset | ConnectionTerminated):
                        return b"ended: %d" % event.error_code
                writer.write(connection.data_to_send())
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return head + b"\r\n\r\n" + body
