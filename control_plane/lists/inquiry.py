"""What a client wants of a list: how much, from where, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from control_plane.model.errors import Unreadable
from control_plane.model.microversion import Microversion
from control_plane.services.listing import Paged, Sort
from control_plane.services.operation import Resource, SortKey
from control_plane.services.service import Paging

#: Parameters that the gateway acts on itself and words anew for each pod.
_OWN = frozenset({"limit", "marker", "offset"})
#: Parameters that decide the order.
SORTS = frozenset({"sort", "sort_key", "sort_dir"})

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A list's parameters; `limit` None: everything. `rest` goes to pods as it is.

    An empty `order`: pods come one after the other, each in its own order. `gaps`: pods' markers
    are not to be trusted in this order, so that pods are read from their start. `added` are fields
    that the caller did not choose; pods are asked for them, since lists cannot be merged without.
    `backward`: the page that stands before the marker; `order` is turned round then.
    """

    limit: int | None
    offset: int
    marker: str | None
    order: tuple[SortKey, ...]
    rest: tuple[tuple[str, str], ...]
    paged: Paged = Paged.MARKER
    gaps: bool = False
    added: tuple[str, ...] = ()
    backward: bool = False


def to_pod(
    rest: Parameters, limit: int | None, marker: str | None = None, offset: int | None = None
) -> str:
    """Write the query for one page of one pod."""
    own = (("limit", limit), ("marker", marker), ("offset", offset))
    return urlencode([*rest, *((key, str(value)) for key, value in own if value is not None)])


def read(
    parameters: Parameters,
    paging: Paging,
    resource: Resource,
    version: Microversion | None = None,
) -> Inquiry:
    """Read the query of a list; Unreadable for a limit or offset that is no count."""
    last = paging.last_counts
    lists = resource.lists
    order = _order(parameters, paging, resource, version)
    added = _added(parameters, paging, resource, order)
    chosen = tuple((paging.choice, name) for name in added)
    paged = lists.paged_below if _below(version, lists.paged_since) else lists.paged
    if paged is Paged.NONE or any(key == lists.whole_with for key, _ in parameters):
        rest = (*parameters, *chosen)
        return Inquiry(None, 0, None, order, rest, Paged.NONE, added=added)
    limit = count(parameters, "limit", last=last)
    zero_is_all = paging.zero_is_all or paged is Paged.OFFSET
    if limit is None or (limit == 0 and zero_is_all):
        limit = paging.default
    if limit is not None and paging.maximum is not None:
        limit = min(limit, paging.maximum)
    marker = _value(parameters, "marker", last=last)
    # Whether an empty marker is none, each of Nova's lists decides for itself.
    empty = (("marker", ""),) if last and not marker and marker is not None else ()
    marker = marker or None
    if paged is Paged.OFFSET or limit is None:
        # Without a limit there are no pages.
        marker = None
    rest = (*(entry for entry in parameters if entry[0] not in _OWN), *empty, *chosen)
    backward = _is_backward(parameters, paging)
    if backward:
        order = tuple(replace(key, descending=not key.descending) for key in order)
        rest = rest if limit is None else _worded(rest, paging, order)
    offset = count(parameters, "offset", last=last) or 0
    keys = set(_asked(parameters)[0])
    gaps = any(sort.gaps and sort.key in keys for sort in lists.sorts)
    return Inquiry(limit, offset, marker, order, rest, paged, gaps, added, backward)


def _added(
    parameters: Parameters, paging: Paging, resource: Resource, order: Sequence[SortKey]
) -> tuple[str, ...]:
    """Find what the merge must know of each item and a caller who chooses fields did not choose."""
    chosen = {value for key, value in parameters if key == paging.choice}
    if not paging.choice or not chosen:
        return ()
    needed = (resource.identity, resource.merge_by, *(key.field for key in order))
    return tuple(name for name in dict.fromkeys(needed) if name not in chosen)


def _is_backward(parameters: Parameters, paging: Paging) -> bool:
    asked = (value for key, value in parameters if paging.reverse and key == paging.reverse)
    return next(asked, "").lower() == "true"


def _worded(
    rest: Parameters, paging: Paging, order: Sequence[SortKey]
) -> tuple[tuple[str, str], ...]:
    """Ask pods for the order that is turned round, in which they know markers as in any other.

    What pods refuse is left as it is. Sort keys are fields where pages can be read backward.
    """
    kept = [entry for entry in rest if entry[0] != paging.reverse]
    keys = [value for key, value in kept if key == "sort_key"]
    directions = [value for key, value in kept if key == "sort_dir"]
    if len(keys) != len(directions) or not {"asc", "desc"}.issuperset(directions):
        return tuple(kept)
    turned = [
        entry
        for key in order
        for entry in (("sort_key", key.field), ("sort_dir", "desc" if key.descending else "asc"))
    ]
    return (*(entry for entry in kept if entry[0] not in SORTS), *turned)


def _below(version: Microversion | None, bound: str) -> bool:
    return bool(bound and version is not None and version < Microversion.parse(bound))


def count(parameters: Parameters, name: str, *, last: bool = False) -> int | None:
    """Read a parameter that is a count; None when it is not there, Unreadable when it is none."""
    for key, text in parameters:
        if key == name and not (text.isascii() and text.isdecimal()):
            message = f"Invalid input for query parameters {name}. Value: {text}."
            raise Unreadable(HTTPStatus.BAD_REQUEST, message)
    found = _value(parameters, name, last=last)
    return None if found is None else int(found)


def _value(parameters: Parameters, name: str, *, last: bool) -> str | None:
    """Find the value that counts of a parameter, which may be given twice."""
    values = [value for key, value in parameters if key == name]
    return values[-1 if last else 0] if values else None


def _asked(parameters: Parameters) -> tuple[list[str], list[str]]:
    """Read `sort_key`/`sort_dir` pairs or `sort=key:dir,…`."""
    keys = [value.strip() for key, value in parameters if key == "sort_key"]
    directions = [value.strip() for key, value in parameters if key == "sort_dir"]
    for key, value in parameters:
        if key == "sort":
            for part in value.split(","):
                name, _, direction = part.strip().partition(":")
                keys.append(name)
                directions.append(direction or "desc")
    return keys, directions


def _order(
    parameters: Parameters, paging: Paging, resource: Resource, version: Microversion | None
) -> tuple[SortKey, ...]:
    """Say the order that pods use for these parameters, as far as their items show it.

    A missing direction is the first one given, else that of the default order, as in Nova and
    Cinder. What pods refuse is left to them.
    """
    lists, default = resource.lists, resource.order
    if lists.concatenated:
        return ()
    keys, directions = _asked(parameters)
    if not keys and not directions:
        if _below(version, lists.ascending_before):
            return tuple(replace(key, descending=False) for key in default)
        return default
    upward = default and not default[0].descending
    fallback = directions[0] if directions else "asc" if upward else "desc"
    downward = fallback == "desc"
    if not keys:
        named = [replace(key, descending=downward) for key in default[:1]]
    else:
        directions += [fallback] * (len(keys) - len(directions))
        named = _named(resource, keys, directions, version)
        if not all(key.field for key in named):
            return ()
        if not named:
            return default
    appended = (
        [replace(key, descending=downward) for key in default] if paging.follows else default[-1:]
    )
    taken = {key.field for key in named}
    return (*named, *(key for key in appended if key.field not in taken))


def _named(
    resource: Resource, keys: list[str], directions: list[str], version: Microversion | None
) -> list[SortKey]:
    """Find the fields of sort keys; one that no table names is the field itself."""
    lists = resource.lists
    known = {sort.key: sort for sort in lists.sorts}
    found = []
    for name, direction in zip(keys, directions, strict=False):
        sort = known.get(name, Sort(name, name))
        if name not in lists.ignored and not _below(version, sort.since):
            found.append(SortKey(sort.field, (direction == "desc") != sort.flipped))
    return found
