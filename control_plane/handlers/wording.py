"""Which fields of a resource's items pods say in words of their own, and in which."""

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from control_plane.services.field import first_of, last_of
from control_plane.services.operation import Resource

#: Links of an item end with its number.
LINKS = "links[].href"


class Word(Enum):
    """What a field holds that users know by another name."""

    SHOWN_ID = auto()
    ZONE = auto()
    OWN_ZONE = auto()
    HOST = auto()
    HOST_ID = auto()
    LINK = auto()
    NUMBER = auto()


@dataclass(frozen=True, slots=True)
class Worded:
    """A field: its path, how to see fast that it is absent, and whose ids it holds, if ids."""

    path: str
    word: Word
    first: str
    mark: bytes
    resource: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether the whole value of a field of the item changes."""
        return self.path == self.first


def _worded(path: str, word: Word, resource: str = "") -> Worded:
    return Worded(path, word, first_of(path), f'"{last_of(path)}"'.encode(), resource)


@lru_cache(maxsize=1024)
def worded(resource: Resource) -> tuple[Worded, ...]:
    """List the fields in the order in which they are changed."""
    words = (
        (resource.zones, Word.ZONE),
        (resource.own_zones, Word.OWN_ZONE),
        (resource.hosts, Word.HOST),
        (resource.obscured, Word.HOST_ID),
        # Last: the links of an item end with the number as the pod has it.
        ((LINKS,) if resource.numbers else (), Word.LINK),
        (resource.numbers, Word.NUMBER),
    )
    return (
        *(_worded(ref.path, Word.SHOWN_ID, ref.resource) for ref in resource.ids),
        *(_worded(path, word) for paths, word in words for path in paths),
    )


@lru_cache(maxsize=1024)
def alone(resource: Resource) -> tuple[str, ...]:
    """Name the fields whose whole value changes; none where one says how another changes."""
    if resource.numbers:
        return ()
    return tuple(entry.path for entry in worded(resource) if entry.is_flat)
