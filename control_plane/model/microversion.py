"""Microversions: ordering, parsing of the request headers, the range all pods share.

Rules: https://specs.openstack.org/openstack/api-wg/guidelines/microversion_specification.html,
and what Nova and Cinder add to it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

_NUMBER = re.compile(r"^([1-9]\d*)\.([1-9]\d*|0)$")


class Microversion(NamedTuple):
    """A version such as 2.96; compares as numbers do, not as text."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Microversion":
        """Read `2.96`; a ValueError for anything else, `latest` too."""
        match = _NUMBER.match(text)
        if match is None:
            message = f"not a microversion: {text!r}"
            raise ValueError(message)
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        """Write it as headers do."""
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class MicroversionRange:
    """The versions a service offers, both ends included."""

    minimum: Microversion
    maximum: Microversion

    def __contains__(self, version: Microversion) -> bool:
        """Whether the version lies in the range."""
        return self.minimum <= version <= self.maximum


def shared_range(ranges: Iterable[MicroversionRange]) -> MicroversionRange | None:
    """Intersect the pods' ranges; None when there are none or they do not meet."""
    found = list(ranges)
    if not found:
        return None
    lowest = max(entry.minimum for entry in found)
    highest = min(entry.maximum for entry in found)
    return MicroversionRange(lowest, highest) if lowest <= highest else None


def requested_version(header: str, service_type: str) -> str | None:
    """Pick one service's part of `OpenStack-API-Version: volume 3.50, compute 2.90`.

    Returns the text after the service's name (`2.90`, `latest`), or None when the header speaks
    only of other services. The last part wins and a name without a version says nothing, as in
    microversion_parse.
    """
    found = None
    for part in header.split(","):
        name, *version = part.split(None, 1)[:2] or ("",)
        if version and name.lower() == service_type:
            found = version[0].strip()
    return found
