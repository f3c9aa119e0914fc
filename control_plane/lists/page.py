"""One page of one pod: its items as raw JSON, with the few fields a merge must know.

Items are never decoded whole: msgspec finds where each begins and ends, and reads the sort keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from typing import Any

import msgspec

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


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list: raw JSON, its id, what it is merged by, and where it sorts."""

    raw: bytes
    id: str
    identity: str
    position: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one answer in the pod's order, whether it names a next page, and the count."""

    items: tuple[Item, ...]
    more: bool
    count: int | None = None


def _comparable(value: Any) -> tuple[int, Any]:
    """Make values of any JSON type comparable; null is lowest, text is compared without case."""
    if value is None:
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


def decode(body: bytes, resource: Resource, order: Sequence[SortKey]) -> Page:
    """Decode one page; MalformedPage when the body is no such list."""
    wanted = (resource.identity, resource.merge_by, *(key.field for key in order))
    fields = tuple(dict.fromkeys(wanted))
    keys = msgspec.json.Decoder(_key_type(fields, resource.item_key))
    slots = [f"field_{fields.index(field)}" for field in wanted]
    try:
        page = msgspec.json.decode(body, type=_page_type(resource.plural, resource.links_key))
        items = tuple(_item(bytes(raw), keys, slots, resource, order) for raw in page.items)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        message = f"not a list of {resource.plural}: {error}"
        raise MalformedPage(message) from error
    more = page.next is not None or any(link.get("rel") == "next" for link in page.links or ())
    return Page(items, more, page.count)


def _item(
    raw: bytes,
    keys: "msgspec.json.Decoder[Any]",
    slots: Sequence[str],
    resource: Resource,
    order: Sequence[SortKey],
) -> Item:
    found = keys.decode(raw)
    if resource.item_key:
        found = found.inner
    values = [getattr(found, slot) for slot in slots]
    position = tuple(
        Descending(_comparable(value)) if key.descending else _comparable(value)
        for key, value in zip(order, values[2:], strict=True)
    )
    return Item(raw, str(values[0]), str(values[1]), position)


def reduce(raw: bytes, fields: Sequence[str]) -> bytes:
    """Keep only some fields of an item, in the order in which they are named."""
    whole = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: whole[name] for name in fields if name in whole})
