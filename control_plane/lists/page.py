"""One page of one pod: its items as raw JSON, with the few fields a merge must know.

Items are never decoded whole: msgspec finds where each begins and ends, and reads the sort keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from typing import Any

import msgspec

from control_plane.model.host import shown_host
from control_plane.model.pod import Pod
from control_plane.services.operation import Resource, SortKey


class MalformedPage(ValueError):
    """A pod's answer is not the list it should be."""


@total_ordering
class Descending:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and bool(self.value == other.value)

    def __lt__(self, other: "Descending") -> bool:
        return bool(other.value < self.value)

    def __hash__(self) -> int:
        return hash(self.value)


#: Where an item sorts.
Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list: raw JSON, its id, what it is merged by, and where it sorts.

    `leads`: it comes before all others where no other stands before it.
    """

    raw: bytes
    id: str
    identity: str
    position: Position
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one answer in the pod's order, whether it names a next page, and the count."""

    items: tuple[Item, ...]
    more: bool
    count: int | None = None


def _comparable(value: Any) -> tuple[int, Any]:
    """Make values of any JSON type comparable: null is lowest, text is compared without case.

    An empty text stands for no value: services write it for null.
    """
    if value is None or value == "":
        return (0, 0)
    if isinstance(value, bool):
        return (1, int(value))
    if isinstance(value, int | float):
        return (1, value)
    if isinstance(value, str):
        return (2, value.casefold())
    return (3, str(value))


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


@lru_cache(maxsize=1024)
def _key_type(fields: tuple[str, ...], wrapper: str) -> type[Any]:
    """Make the type that reads just the fields of interest from an item.

    A Python name must not hold the colons and dashes of `OS-EXT-STS:vm_state`; `fields` are
    distinct.
    """
    names = [(f"field_{index}", Any, None) for index in range(len(fields))]
    rename = {f"field_{index}": field for index, field in enumerate(fields)}
    inner = msgspec.defstruct("ItemKeys", names, rename=rename)
    if not wrapper:
        return inner
    return msgspec.defstruct("WrappedKeys", [("inner", inner)], rename={"inner": wrapper})


class Reader:
    """Reads the pages of one pod for one list and one order."""

    def __init__(
        self, resource: Resource, order: Sequence[SortKey], pod: Pod | None = None
    ) -> None:
        """Prepare for a list of `resource`; `pod` tells its zone and its hosts apart."""
        self._resource = resource
        self._order = order
        self._leading = resource.lists.leading if order else None
        paths = [resource.lists.marker or resource.identity, resource.merge_by]
        paths += [key.field for key in order]
        if self._leading:
            paths.append(self._leading[0])
        self._paths = [path.partition(".")[::2] for path in paths]
        fields = tuple(dict.fromkeys(first for first, _ in self._paths))
        self._slots = [f"field_{fields.index(first)}" for first, _ in self._paths]
        self._keys = msgspec.json.Decoder(_key_type(fields, resource.item_key))
        self._shown = self._translations(pod) if pod is not None else {}

    def _translations(self, pod: Pod) -> dict[str, Callable[[str], str]]:
        """Say how users see values by which pods' items would compare as if of one pod."""
        zones = dict.fromkeys(self._resource.zones, lambda value: value and pod.availability_zone)
        hosts = dict.fromkeys(self._resource.hosts, lambda value: shown_host(pod.name, value))
        return {**zones, **hosts}

    def page(self, body: bytes) -> Page:
        """Read one page; MalformedPage when the body is no such list."""
        resource = self._resource
        try:
            page = msgspec.json.decode(body, type=_page_type(resource.plural, resource.links_key))
            items = self._read(page.items)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            message = f"not a list of {resource.plural}: {error}"
            raise MalformedPage(message) from error
        more = page.next is not None or any(link.get("rel") == "next" for link in page.links or ())
        return Page(items, more, page.count)

    def one(self, body: bytes) -> Item:
        """Read the body of a show; MalformedPage when it holds no such thing."""
        try:
            document = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            return self._item(bytes(document[self._resource.key]))
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
            message = f"not a {self._resource.key}: {error}"
            raise MalformedPage(message) from error

    def _read(self, raws: Sequence[Any]) -> tuple[Item, ...]:
        return tuple(self._item(bytes(raw)) for raw in raws)

    def _item(self, raw: bytes) -> Item:
        found = self._keys.decode(raw)
        if self._resource.item_key:
            found = found.inner
        values = []
        for (_, inside), slot in zip(self._paths, self._slots, strict=True):
            value = getattr(found, slot)
            if inside:
                value = value.get(inside) if isinstance(value, dict) else value
            values.append(value)
        leads = self._leading is not None and values.pop() == self._leading[1]
        position: list[Any] = []
        for key, value in zip(self._order, values[2:], strict=False):
            shown = self._shown.get(key.field)
            if shown is not None and isinstance(value, str):
                value = shown(value)  # noqa: PLW2901
            comparable = _comparable(value)
            position.append(Descending(comparable) if key.descending else comparable)
        return Item(raw, str(values[0]), str(values[1]), tuple(position), leads)


def decode(body: bytes, resource: Resource, order: Sequence[SortKey]) -> Page:
    """Read one page whose pod does not matter."""
    return Reader(resource, order).page(body)


def reduce(raw: bytes, fields: Sequence[str]) -> bytes:
    """Keep only some fields of an item, in the order in which they are named."""
    whole = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: whole[name] for name in fields if name in whole})
