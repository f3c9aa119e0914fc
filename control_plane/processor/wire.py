"""The reply to most requests, and the pieces of lists, written straight as octets.

What routes a request is the same but for its path and an id, and building it of message objects
takes longer than all that is decided. A piece of a list would be copied into an object and out of
it. Field numbers are those of protos/ext_proc.proto and
google/protobuf/struct.proto; a test holds the octets against the messages.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_SEVEN_BITS = 0x7F
_ONE_OCTET = 0x80
#: What is written of a header beside it: append_action = OVERWRITE_IF_EXISTS_OR_ADD.
_OVERWRITE = b"\x18\x02"
_CLEAR_ROUTE_CACHE = b"\x28\x01"

#: Field numbers 1, 2, 3, 5, 8 and 11 with wire type 2, a length and so many octets.
_F1, _F2, _F3, _F5, _F8, _F11 = b"\x0a", b"\x12", b"\x1a", b"\x2a", b"\x42", b"\x5a"


def routed(put: Mapping[str, str], remove: Iterable[str], facts: Mapping[str, str]) -> bytes:
    """Write a ProcessingResponse that sets headers, removes some, and routes the request anew.

    `facts` go to Envoy's dynamic metadata, under the namespace `trio2o`.
    """
    mutation = b"".join(
        [*(_option(name, value) for name, value in put.items()), *map(_removal, remove)]
    )
    headers = _field(_F1, _field(_F2, mutation) + _CLEAR_ROUTE_CACHE)
    return _field(_F1, headers) + _metadata(facts)


def piece(body: bytes) -> bytes:
    """Write a ProcessingResponse that is a part of a streamed answer's body."""
    size = _varint(len(body))
    inner = len(body) + len(size) + 1
    middle = _varint(inner)
    return b"".join((_F11, _varint(inner + len(middle) + 1), _F2, middle, _F1, size, body))


#: What ends the body of a streamed answer: its `end_of_stream` and nothing else.
END_OF_BODY = b"\x5a\x04\x12\x02\x10\x01"


def _metadata(facts: Mapping[str, str]) -> bytes:
    entries = b"".join(
        [
            _entry(name, value) if name != "learn" else _fact(name, value)
            for name, value in facts.items()
        ]
    )
    ours = _field(_F1, b"trio2o") + _field(_F2, _field(_F5, entries))
    return _field(_F8, _field(_F1, ours))


def _option(name: str, value: str) -> bytes:
    header = _field(_F1, name.encode()) + _field(_F3, value.encode())
    return _field(_F1, _field(_F1, header) + _OVERWRITE)


@lru_cache(maxsize=256)
def _removal(name: str) -> bytes:
    return _field(_F2, name.encode())


def _fact(name: str, value: str) -> bytes:
    return _field(_F1, _field(_F1, name.encode()) + _field(_F2, _field(_F3, value.encode())))


#: Nearly all facts are said of many requests.
_entry = lru_cache(maxsize=8192)(_fact)


def _field(tag: bytes, content: bytes) -> bytes:
    length = len(content)
    if length < _ONE_OCTET:
        return tag + _LENGTHS[length] + content
    return tag + _varint(length) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= _ONE_OCTET:
        found.append(number & _SEVEN_BITS | _ONE_OCTET)
        number >>= 7
    found.append(number)
    return bytes(found)


_LENGTHS = tuple(bytes([length]) for length in range(_ONE_OCTET))
