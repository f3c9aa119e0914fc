"""`hostId`: a hash of project and host name, which must differ for equal names of two pods.

It stays 56 hexadecimal digits and the same for servers of one project on one host.
"""

from functools import lru_cache
from hashlib import sha224

_DIGITS = 56


#: A project has few hosts, which its lists show again and again.
@lru_cache(maxsize=16_384)
def shown_host_id(pod: str, host_id: str) -> str:
    """Mix a pod's name into a `hostId`; what is no such hash, as of a server nowhere, stays."""
    if len(host_id) != _DIGITS:
        return host_id
    try:
        value = int(host_id, 16)
    except ValueError:
        return host_id
    return f"{value ^ _mask(pod):0{_DIGITS}x}"


def mask(pod: str) -> str:
    """Give what is mixed into the hashes of a pod, as hexadecimal digits."""
    return f"{_mask(pod):0{_DIGITS}x}"


@lru_cache(maxsize=4096)
def _mask(pod: str) -> int:
    return int.from_bytes(sha224(pod.encode()).digest())
