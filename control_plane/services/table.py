"""Find the row of a service's table for a method and a path.

The table is compiled once into a tree over path segments: a literal goes before a parameter, and
a parameter is tried when the literal leads nowhere. Ids in the path are decoded; whoever builds a
path from them quotes them again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import unquote

from control_plane.model.errors import Unrouted
from control_plane.services.operation import Operation, single, static
from control_plane.services.service import Service

#: Nova's and Cinder's pattern of a project in the path.
_PROJECT = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
#: What may stand before `.json` as an id; names (of tags, key pairs) keep such an ending.
_ID = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)
_JSON = ".json"
_TRAVERSALS = frozenset({".", ".."})

#: The list of versions above a service, where the table does not count it as an endpoint.
VERSIONS = static("GET", "/", handler="versions")

#: What browsers ask before they send another site's request: any pod says what its operator allows.
PREFLIGHT = single("OPTIONS", "/")

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Match:
    """A row and what the path says; `params` in the order of the path."""

    operation: Operation
    params: Mapping[str, str]
    #: The optional project segment, empty when the path has none.
    project: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row at the end of its path, with the positions of its parameters."""

    operation: Operation
    parameters: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    entries: dict[str, _Entry] = field(default_factory=dict)


class Table:
    """One service's operations, ready to be matched."""

    def __init__(self, service: Service) -> None:
        """Compile the table; ValueError when two rows claim one method and path."""
        self._service = service
        self._root = _Node()
        self._above = VERSIONS
        for operation in service.operations:
            if operation.path:
                self._insert(operation)
            else:
                self._above = operation
        for method in VERSIONS.methods:
            self._root.entries.setdefault(method, _Entry(VERSIONS, ()))

    def match(self, method: str, rest: str) -> Match:
        """Find the row for a path below the version; Unrouted, 404 or 405, for none.

        An empty `rest` is the list of versions above the service. HEAD is matched as GET, but
        for services whose router, Routes, has none; OPTIONS on any path.
        """
        if method == "OPTIONS":
            return Match(PREFLIGHT, _NO_PARAMETERS)
        if not rest:
            return Match(self._above, _NO_PARAMETERS)
        is_head = method == "HEAD"
        method = "GET" if is_head else method
        segments = self._segments(rest)
        project = ""
        if (
            self._service.project_segment
            and segments
            and segments[0] not in self._root.literals
            and _PROJECT.fullmatch(segments[0])
        ):
            project = segments.pop(0)
            segments = [] if segments == [""] else segments
        allowed: dict[str, None] = {}
        found = self._find(method, segments, allowed)
        if found is not None:
            entry, values = found
            if is_head and self._service.router_pages and entry.operation.handler != "versions":
                raise _not_found()
            return Match(entry.operation, self._parameters(entry, values), project)
        if allowed and not self._service.router_pages:
            message = f"The method {method} is not allowed for this resource."
            allow = {"allow": ", ".join(allowed)}
            raise Unrouted(HTTPStatus.METHOD_NOT_ALLOWED, message, allow)
        raise _not_found()

    def _insert(self, operation: Operation) -> None:
        node = self._root
        parameters: list[tuple[str, int]] = []
        for position, segment in enumerate(self._segments(operation.path)):
            if segment.startswith("{"):
                parameters.append((segment[1:-1], position))
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(self._folded(segment), _Node())
        for method in operation.methods:
            if method in node.entries:
                message = f"two rows for {method} {operation.path} of {self._service.name}"
                raise ValueError(message)
            node.entries[method] = _Entry(operation, tuple(parameters))

    def _segments(self, rest: str) -> list[str]:
        """Cut a path; what the service ignores is left out.

        That is a slash at the end, a plugin prefix, and for Routes a slash behind a slash.
        """
        path = rest.removeprefix("/")
        if self._service.trailing_slash:
            path = path.removesuffix("/")
        segments = path.split("/") if path else []
        if self._service.router_pages and "" in segments[:-1]:
            segments = [*filter(None, segments[:-1]), segments[-1]]
        if len(segments) > 1 and segments[0] in self._service.optional_prefixes:
            segments.pop(0)
        return segments

    def _folded(self, segment: str) -> str:
        return segment.replace("_", "-") if self._service.underscores else segment

    def _find(
        self, method: str, segments: list[str], allowed: dict[str, None]
    ) -> tuple[_Entry, list[str]] | None:
        """Find the entry and the segments it was found by, without a `.json` that is a format."""
        if segments and segments[-1].endswith(_JSON) and self._service.formats:
            bare = [*segments[:-1], segments[-1].removesuffix(_JSON)]
            entry = self._walk(self._root, bare, 0, method, {})
            by_name = entry is not None and any(
                position == len(bare) - 1 for _, position in entry.parameters
            )
            if entry is not None and (not by_name or _ID.fullmatch(bare[-1])):
                return entry, bare
        entry = self._walk(self._root, segments, 0, method, allowed)
        return None if entry is None else (entry, segments)

    def _walk(
        self, node: _Node, segments: list[str], at: int, method: str, allowed: dict[str, None]
    ) -> _Entry | None:
        if at == len(segments):
            entry = node.entries.get(method)
            if entry is None:
                allowed.update(dict.fromkeys(node.entries))
            return entry
        segment = segments[at]
        following = node.literals.get(self._folded(segment))
        if following is not None:
            entry = self._walk(following, segments, at + 1, method, allowed)
            if entry is not None:
                return entry
        if node.parameter is None or not segment:
            return None
        return self._walk(node.parameter, segments, at + 1, method, allowed)

    @staticmethod
    def _parameters(entry: _Entry, segments: list[str]) -> Mapping[str, str]:
        if not entry.parameters:
            return _NO_PARAMETERS
        values = {}
        for name, position in entry.parameters:
            value = segments[position]
            if "%" in value:
                value = unquote(value)
            if value in _TRAVERSALS:
                raise _not_found()
            values[name] = value
        return values


def _not_found() -> Unrouted:
    return Unrouted(HTTPStatus.NOT_FOUND, "The resource could not be found.")
