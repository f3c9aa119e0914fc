"""The reply to most requests, written straight as octets.

What routes a request is the same but for its path and an id, and building it of message objects
takes longer than all that is decided. Field numbers are those of protos/ext_proc.proto and
google/protobuf/struct.proto; a test holds the octets against the messages.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_SEVEN_BITS = 0x7F
_ONE_OCTET = 0x80
#: What is written of a header beside it: append_action = OVERWRITE_IF_EXISTS_OR_ADD.
_OVERWRITE = b"\x18\x02"
_CLEAR_ROUTE_CACHE = b"\x28\x01"

#: Field numbers 1, 2, 3, 5 and 8 with wire type 2, a length and so many octets.
_F1, _F2, _F3, _F5, _F8 = b"\x0a", b"\x12", b"\x1a", b"\x2a", b"\x42"


def routed(put: Mapping[str, str], remove: Iterable[str], facts: Mapping[str, str]) -> bytes:
    """Write a ProcessingResponse that sets headers, removes some, and routes the request anew.

    `facts` go to Envoy's dynamic metadata, under the namespace `trio2o`.
    """
    mutation = b"".join(
        [*(_option(name, value) for name, value in put.items()), *map(_removal, remove)]
    )
    headers = _field(_F1, _field(_F2, mutation) + _CLEAR_ROUTE_CACHE)
    return _field(_F1, headers) + _metadata(facts)


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
