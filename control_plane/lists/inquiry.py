"""What a client wants of a list: how much, from where, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from control_plane.model.errors import Refused
from control_plane.services.operation import Resource, SortKey
from control_plane.services.service import Paging

#: Parameters that the gateway acts on itself and words anew for each pod.
_OWN = frozenset({"limit", "marker", "offset", "page_reverse"})

#: Sort keys whose name in a query is not the name in an item.
_SHOWN_AS = {
    "created_at": "created",
    "updated_at": "updated",
    "display_name": "name",
    "uuid": "id",
    "vm_state": "OS-EXT-STS:vm_state",
    "task_state": "OS-EXT-STS:task_state",
    "power_state": "OS-EXT-STS:power_state",
    "launched_at": "OS-SRV-USG:launched_at",
    "terminated_at": "OS-SRV-USG:terminated_at",
    "project_id": "tenant_id",
}


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A list's parameters; `limit` None: everything. `rest` goes to pods as it is."""

    limit: int | None
    offset: int
    marker: str | None
    order: tuple[SortKey, ...]
    rest: tuple[tuple[str, str], ...]

    def to_pod(self, limit: int | None, marker: str | None) -> str:
        """Write the query for one page of one pod."""
        parameters = list(self.rest)
        if limit is not None:
            parameters.append(("limit", str(limit)))
        if marker is not None:
            parameters.append(("marker", marker))
        return urlencode(parameters)


def read(parameters: Sequence[tuple[str, str]], paging: Paging, resource: Resource) -> Inquiry:
    """Read the query of a list; Refused(400) for a limit or offset that is no count."""
    limit = _count(parameters, "limit")
    if limit is None or (limit == 0 and paging.zero_is_all):
        limit = paging.default
    if limit is not None and paging.maximum is not None:
        limit = min(limit, paging.maximum)
    marker = next((value for key, value in parameters if key == "marker" and value), None)
    rest = tuple(entry for entry in parameters if entry[0] not in _OWN)
    order = _order(parameters, resource)
    return Inquiry(limit, _count(parameters, "offset") or 0, marker, order, rest)


def _count(parameters: Sequence[tuple[str, str]], name: str) -> int | None:
    text = next((value for key, value in parameters if key == name), None)
    if text is None:
        return None
    if not text.isdecimal():
        message = f"Invalid input for query parameters {name}. Value: {text}."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return int(text)


def _order(parameters: Sequence[tuple[str, str]], resource: Resource) -> tuple[SortKey, ...]:
    """Read `sort_key`/`sort_dir` pairs or `sort=key:dir,…`; the resource's own order if neither.

    A missing direction is the first one given, else descending, as in Nova and Cinder. A key that
    no item shows is still passed to the pods; between pods the tie-break then decides.
    """
    keys = [value for key, value in parameters if key == "sort_key"]
    directions = [value for key, value in parameters if key == "sort_dir"]
    for key, value in parameters:
        if key == "sort":
            for part in value.split(","):
                name, _, direction = part.strip().partition(":")
                keys.append(name)
                directions.append(direction or "desc")
    if not keys:
        return resource.order
    fallback = directions[0] if directions else "desc"
    directions += [fallback] * (len(keys) - len(directions))
    shown = {key.field for key in resource.order}
    order = [
        SortKey(name if name in shown else _SHOWN_AS.get(name, name), direction == "desc")
        for name, direction in zip(keys, directions, strict=False)
    ]
    tie = resource.order[-1]
    return (*order, tie) if tie.field not in {key.field for key in order} else tuple(order)
