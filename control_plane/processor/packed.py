"""Answers that a pod has packed though nobody asked it to: unpacked, as far as that is bounded."""

import zlib

from control_plane.pods.client import LARGEST

#: For zlib: read the header, whether it is gzip's or zlib's.
_EITHER = 32 + zlib.MAX_WBITS
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})


def is_packed(encoding: str) -> bool:
    """Whether a `Content-Encoding` says that a body is not to be read as it is."""
    return encoding.strip().lower() not in ("", "identity")


def unpacked(body: bytes, encoding: str) -> bytes | None:
    """Unpack a body; None for one that is packed otherwise, broken, or larger than `LARGEST`."""
    if encoding.strip().lower() not in _KNOWN:
        return None
    stream = zlib.decompressobj(_EITHER)
    try:
        found = stream.decompress(body, LARGEST)
    except zlib.error:
        return None
    return found if stream.eof and not stream.unused_data else None
