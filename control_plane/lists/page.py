"""One page of one pod: its items as raw JSON, with the few fields a merge must know.

Items are never decoded whole: msgspec finds where each begins and ends, and reads the sort keys.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from control_plane.lists.position import Position, ascending, descending
from control_plane.model.errors import NOT_JSON
from control_plane.model.host import shown_host
from control_plane.model.pod import Pod
from control_plane.services.operation import Resource, SortKey


class MalformedPage(ValueError):
    """A pod's answer is not the list it should be."""

    def __init__(self, pod: str, message: str) -> None:
        """Say whose answer it is and what is wrong with it."""
        super().__init__(message)
        self.pod = pod


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item of a list: raw JSON, its id, what it is merged by, and where it sorts.

    `leads`: it comes before all others where no other stands before it. `kept` are fields that a
    reader was told to keep, as JSON or UNSET. A Struct, since thousands are made a list: six times
    cheaper than a frozen dataclass, and unknown to the collector.
    """

    raw: bytes
    id: str
    identity: str
    position: Position
    leads: bool = False
    kept: tuple[Any, ...] = ()


class Items(Protocol):
    """The items of a page in the pod's order, as a tuple of them or read when asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Item:
        """Give one; MalformedPage when it is no such item."""

    def __iter__(self) -> Iterator[Item]:
        """Give all."""


class Unread:
    """Items of which each is read when it is asked for: a merge does not come to most of them."""

    __slots__ = ("_raws", "_read")

    def __init__(self, raws: Sequence[Any], read: Callable[[bytes], Item]) -> None:
        """Take the items as msgspec found them, which share the memory of the answer."""
        self._raws = raws
        self._read = read

    def __len__(self) -> int:
        """How many there are."""
        return len(self._raws)

    def __getitem__(self, index: int, /) -> Item:
        """Read one."""
        return self._read(bytes(self._raws[index]))

    def __iter__(self) -> Iterator[Item]:
        """Read all."""
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one answer, whether it names a next page, and the count."""

    items: Items
    more: bool
    count: int | None = None


@lru_cache(maxsize=256)
def _page_type(plural: str, links: str | None) -> type[Any]:
    return msgspec.defstruct(
        "PodPage",
        [
            ("items", list[msgspec.Raw]),
            ("links", list[dict[str, Any]] | None, None),
            ("next", str | None, None),
            ("count", int | None, None),
        ],
        rename={"items": plural, "links": links or "-"},
    )


#: The name under which Python reads the object inside an item (`{"keypair": {…}}`).
_WRAPPED = "inner"


def _key_type(fields: tuple[str, ...], kept: tuple[str, ...], wrapper: str) -> type[Any]:
    """Make the type that reads the fields of interest, some as they are; they are distinct."""
    types = [(Any, None)] * len(fields) + [(msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)] * len(
        kept
    )
    names = [(f"field_{index}", *entry) for index, entry in enumerate(types)]
    rename = {f"field_{index}": field for index, field in enumerate((*fields, *kept))}
    inner = msgspec.defstruct("ItemKeys", names, rename=rename, gc=False)
    if not wrapper:
        return inner
    return msgspec.defstruct("WrappedKeys", [(_WRAPPED, inner)], rename={_WRAPPED: wrapper})


@lru_cache(maxsize=1024)
def _keys_of(
    fields: tuple[str, ...], kept: tuple[str, ...], wrapper: str
) -> msgspec.json.Decoder[Any]:
    """Make what reads those fields; the pods of a list share it."""
    return msgspec.json.Decoder(_key_type(fields, kept, wrapper))


class Reader:
    """Reads the pages of one pod for one list and one order."""

    def __init__(
        self,
        resource: Resource,
        order: Sequence[SortKey],
        pod: Pod | None = None,
        kept: Sequence[str] = (),
    ) -> None:
        """Prepare for a list of `resource`; `pod` tells its zone and its hosts apart.

        `kept` are fields whose values its items keep: all of them, or none where that cannot be.
        """
        self._resource = resource
        self._pod = pod.name if pod is not None else ""
        self._leading = resource.lists.leading if order else None
        paths = [resource.lists.marker or resource.identity, resource.merge_by]
        paths += [key.field for key in order]
        if self._leading:
            paths.append(self._leading[0])
        split = [path.partition(".")[::2] for path in paths]
        fields = tuple(dict.fromkeys(first for first, _ in split))
        within = f"{_WRAPPED}." if resource.item_key else ""
        if within or not set(kept).isdisjoint(fields):
            kept = ()
        slots = [f"{within}field_{fields.index(first)}" for first, _ in split]
        self._own = len(slots)
        slots += [f"field_{index}" for index in range(len(fields), len(fields) + len(kept))]
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*slots)
        #: Where a value stands inside a field, by its place among the values.
        self._inside = [(index, inside) for index, (_, inside) in enumerate(split) if inside]
        self._keys = _keys_of(fields, tuple(kept), resource.item_key)
        shown = self._translations(pod) if pod is not None else {}
        self._order = [
            (index, _comparable(key, shown.get(key.field))) for index, key in enumerate(order, 2)
        ]

    def _translations(self, pod: Pod) -> dict[str, Callable[[str], str]]:
        """Say how users see values by which pods' items would compare as if of one pod."""
        zones = dict.fromkeys(self._resource.zones, lambda value: value and pod.availability_zone)
        hosts = dict.fromkeys(self._resource.hosts, lambda value: shown_host(pod.name, value))
        return {**zones, **hosts}

    def page(self, body: bytes) -> Page:
        """Read one page; MalformedPage when the body is no such list.

        Of the items the first is read at once, the others when they are asked for.
        """
        resource = self._resource
        try:
            page = msgspec.json.decode(body, type=_page_type(resource.plural, resource.links_key))
        except NOT_JSON as error:
            raise self._malformed(error) from error
        items = Unread(page.items, self._item)
        if len(items):
            items[0]
        more = page.next is not None or any(link.get("rel") == "next" for link in page.links or ())
        return Page(items, more, page.count)

    def one(self, body: bytes) -> Item:
        """Read the body of a show; MalformedPage when it holds no such thing."""
        try:
            document = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            return self._item(bytes(document[self._resource.key]))
        except (*NOT_JSON, KeyError) as error:
            message = f"not a {self._resource.key}: {error}"
            raise MalformedPage(self._pod, message) from error

    def _malformed(self, error: Exception) -> MalformedPage:
        return MalformedPage(self._pod, f"not a list of {self._resource.plural}: {error}")

    def _item(self, raw: bytes) -> Item:
        try:
            values = self._values(self._keys.decode(raw))
        except NOT_JSON as error:
            raise self._malformed(error) from error
        if self._inside:
            values = self._opened(values)
        position: Position = ()
        for index, comparable in self._order:
            position += comparable(values[index])
        own = self._own
        leads = self._leading is not None and values[own - 1] == self._leading[1]
        return Item(raw, str(values[0]), str(values[1]), position, leads, values[own:])

    def _opened(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Take the values that stand inside of fields out of them."""
        opened = list(values)
        for index, inside in self._inside:
            if isinstance(opened[index], dict):
                opened[index] = opened[index].get(inside)
        return tuple(opened)


def _comparable(key: SortKey, shown: Callable[[str], str] | None) -> Callable[[Any], Position]:
    """Say how values of a key compare; by what users see in their place, if that is another."""
    compare = descending if key.descending else ascending
    if shown is None:
        return compare
    return lambda value: compare(shown(value) if isinstance(value, str) else value)


def decode(body: bytes, resource: Resource, order: Sequence[SortKey]) -> Page:
    """Read one page whose pod does not matter."""
    return Reader(resource, order).page(body)


@lru_cache(maxsize=256)
def raw_fields(fields: tuple[str, ...]) -> type[Any]:
    """Make the type that has just some fields of an item, as they are, or UNSET.

    A Python name must not hold the colons and dashes of `OS-EXT-STS:vm_state`: they are `field_0`,
    `field_1`, …
    """
    kept = msgspec.Raw | msgspec.UnsetType
    names = [(f"field_{index}", kept, msgspec.UNSET) for index in range(len(fields))]
    rename = {f"field_{index}": field for index, field in enumerate(fields)}
    return msgspec.defstruct("RawFields", names, rename=rename, gc=False)


def reduce(raw: bytes, fields: Sequence[str]) -> bytes:
    """Keep only some fields of an item, in the order in which they are named."""
    return msgspec.json.encode(msgspec.json.decode(raw, type=raw_fields(tuple(fields))))


def without(raw: bytes, fields: Sequence[str]) -> bytes:
    """Take some fields out of an item."""
    item = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: item[name] for name in item if name not in fields})
