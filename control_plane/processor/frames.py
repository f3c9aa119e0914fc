"""HTTP/2 frames, as far as a server of gRPC calls of one message each way needs them (RFC 9113)."""

from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
#: END_STREAM and ACK are one bit; END_HEADERS and PADDED.
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8

_HEAD = 9
_LARGEST = 1 << 14
_HIGHEST_STREAM = (1 << 31) - 1
INTERNAL_ERROR, ENHANCE_YOUR_CALM = 2, 11
DEFAULT_WINDOW = (1 << 16) - 1
_INITIAL_WINDOW_SIZE = 4
_SETTING = 6

#: A gRPC message begins with whether it is compressed and its length.
_PREFIX = 5

#: Header blocks of an answer, without a table: `:status: 200` and `content-type:
#: application/grpc`; `grpc-status: 0`.
_ANSWER = b"\x88\x0f\x10\x10application/grpc"
_TRAILERS = b"\x00\x0bgrpc-status\x010"


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    """Write a frame."""
    return _head(len(content), kind, flags, stream) + content


def _head(size: int, kind: int, flags: int, stream: int) -> bytes:
    return size.to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")


def read(buffer: bytearray) -> Iterator[tuple[int, int, int, bytes]]:
    """Take whole frames off a buffer: kind, flags, stream and content of each."""
    at = 0
    while len(buffer) - at >= _HEAD:
        stop = at + _HEAD + int.from_bytes(buffer[at : at + 3], "big")
        if len(buffer) < stop:
            break
        stream = int.from_bytes(buffer[at + 5 : at + _HEAD], "big") & _HIGHEST_STREAM
        yield buffer[at + 3], buffer[at + 4], stream, bytes(buffer[at + _HEAD : stop])
        at = stop
    del buffer[:at]


def greeting(window: int) -> bytes:
    """Write what a server says first: how much it takes of a stream, and of all together."""
    initial = _INITIAL_WINDOW_SIZE.to_bytes(2, "big") + window.to_bytes(4, "big")
    return frame(SETTINGS, 0, 0, initial) + window_update(_HIGHEST_STREAM - DEFAULT_WINDOW)


def window_update(more: int) -> bytes:
    """Let the other side send more on the connection."""
    return frame(WINDOW_UPDATE, 0, 0, more.to_bytes(4, "big"))


def initial_window(settings: bytes) -> int | None:
    """Read how much of a stream the other side takes at first, if its settings say so."""
    for at in range(0, len(settings) - _SETTING + 1, _SETTING):
        if int.from_bytes(settings[at : at + 2], "big") == _INITIAL_WINDOW_SIZE:
            return int.from_bytes(settings[at + 2 : at + _SETTING], "big")
    return None


def unpadded(flags: int, content: bytes) -> bytes:
    """Take the padding off a DATA frame."""
    return content[1 : len(content) - content[0]] if flags & PADDED and content else content


def message(content: bytes) -> bytes:
    """Write a gRPC message."""
    return b"\0" + len(content).to_bytes(4, "big") + content


def take_message(buffer: bytearray) -> bytes | None:
    """Take a whole gRPC message off a buffer; None while there is none."""
    if len(buffer) < _PREFIX:
        return None
    stop = _PREFIX + int.from_bytes(buffer[1:_PREFIX], "big")
    if len(buffer) < stop:
        return None
    content = bytes(buffer[_PREFIX:stop])
    del buffer[:stop]
    return content


def goaway() -> bytes:
    """Have the other side open no more streams."""
    return frame(GOAWAY, 0, 0, _HIGHEST_STREAM.to_bytes(4, "big") + bytes(4))


def reset(stream: int, code: int) -> bytes:
    """End a stream."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def answer(stream: int) -> bytes:
    """Begin an answer."""
    return frame(HEADERS, END_HEADERS, stream, _ANSWER)


def data(stream: int, content: bytes | memoryview) -> bytes:
    """Write a part of an answer, in as many frames as it takes, copied once."""
    view = memoryview(content)
    written: list[bytes | memoryview] = []
    for at in range(0, len(view), _LARGEST):
        part = view[at : at + _LARGEST]
        written += (_head(len(part), DATA, 0, stream), part)
    return b"".join(written)


def trailers(stream: int) -> bytes:
    """End an answer."""
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, _TRAILERS)


def end(stream: int) -> bytes:
    """End an answer; what the other side might still send of the stream is not wanted."""
    return trailers(stream) + reset(stream, 0)
