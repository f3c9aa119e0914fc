"""What a pod's answer says in the pod's words, said in the users'.

Zones, hosts, integers and host hashes are replaced field by field in the items of the answer, so
that a user's own metadata of the same name stays as it is; the pod's URLs wherever they stand. An
answer that has none of the fields' names in it is not decoded.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os.path import commonprefix
from typing import Any

import msgspec

from control_plane.handlers.pod_words import PodWords
from control_plane.handlers.splice import Change, Splice
from control_plane.handlers.wording import LINKS, Word, Worded, alone, worded
from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import NOT_JSON
from control_plane.model.pod import Pod
from control_plane.pods.view import View
from control_plane.services.catalog import SERVICES
from control_plane.services.field import change
from control_plane.services.items import items
from control_plane.services.operation import Resource

#: Names of the gateway, scheme and all, for which changes are kept, characters.
_SHORT = 300
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ZONE_WORD = re.compile(rb"zone", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Links:
    """URLs to replace that have a beginning in common; most texts have none of them."""

    mark: bytes
    changes: tuple[tuple[bytes, bytes], ...]


def _link_changes(view: View, pod: Pod, gateway: str, authority: str) -> tuple[_Links, ...]:
    roots = tuple(
        (service.prefix, endpoint)
        for service in SERVICES
        if (endpoint := view.endpoint(pod.name, service.name)) is not None
    )
    # The client says what the gateway is called, and may say much.
    short = len(gateway) + len(authority) <= _SHORT
    return (_changes_of if short else _changes_of.__wrapped__)(roots, gateway, authority)


@lru_cache(maxsize=2048)
def _changes_of(
    roots: tuple[tuple[str, Endpoint], ...], gateway: str, authority: str
) -> tuple[_Links, ...]:
    hosts: dict[str, list[tuple[str, str]]] = {}
    for prefix, endpoint in roots:
        ours = f"{gateway}{prefix}/"
        hosts.setdefault(endpoint.host, []).append((f"{endpoint.url}/", ours))
        if endpoint.path and endpoint.path != prefix:
            # The pod wrote the client's Host before its own path.
            hosts.setdefault("", []).extend(
                (f"{scheme}://{authority}{endpoint.path}/", ours) for scheme in ("http", "https")
            )
    return tuple(
        _Links(
            # Character by character is what is meant here.
            commonprefix([url[url.index(":") :] for url, _ in changes]).encode(),  # noqa: RUF071
            tuple((theirs.encode(), ours.encode()) for theirs, ours in changes),
        )
        for changes in hosts.values()
    )


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes of one resource: those of whole fields as a splice too, and the others."""

    all: tuple[Change, ...]
    splice: Splice | None
    nested: tuple[Change, ...]


def _changes(resource: Resource, new: Callable[[Worded], Callable[[Any], Any]]) -> _Changes:
    """Collect the changes of a resource; `new` says what becomes of a field's value."""
    every = tuple(Change(entry, new(entry)) for entry in worded(resource))
    names = alone(resource)
    flat = tuple(entry for entry in every if entry.worded.path in names)
    nested = tuple(entry for entry in every if entry.worded.path not in names)
    return _Changes(every, Splice(flat) if flat else None, nested)


@lru_cache(maxsize=1024)
def _changes_in(words: PodWords, resource: Resource) -> _Changes:
    """Collect those that are the same in all requests, as no id of a copy is among them."""
    return _changes(resource, lambda entry: words.translate(entry.word))


class Translation:
    """Rewrites the answers of one pod for one request; make one a request and pod."""

    def __init__(self, view: View, pod: Pod, gateway: str, authority: str) -> None:
        """Collect what must be replaced."""
        self._pod = pod
        #: What of the pod is said the same way in all requests.
        self.words = PodWords.of(pod)
        self._names = view.names
        self._links = _link_changes(view, pod, gateway, authority)
        self._changes: dict[tuple[str, str], _Changes] = {}

    def links(self, raw: bytes) -> bytes:
        """Let the URLs in a text lead to the gateway."""
        for host in self._links:
            if host.mark in raw:
                for theirs, ours in host.changes:
                    raw = raw.replace(theirs, ours)
        return raw

    def item(self, raw: bytes, resource: Resource) -> bytes:
        """Translate one item of a list, given as JSON."""
        return self.each(resource)(raw, ())

    def each(self, resource: Resource) -> Callable[[bytes, Sequence[Any]], bytes]:
        """Give what translates items of a kind, thousands one after the other.

        It takes an item as JSON and the values of the fields that change `alone`, none where they
        were not read.
        """
        changes, links = self._of(resource), self.links
        splice, every, nested = changes.splice, changes.all, changes.nested
        rewrite = self._rewrite_numbered if resource.numbers else self._rewrite

        def item(raw: bytes, values: Sequence[Any]) -> bytes:
            rest = every
            if splice is not None:
                spliced = splice.item(raw, values)
                if spliced is not None:
                    raw, rest = spliced, nested
            needed = [entry for entry in rest if entry.worded.mark in raw] if rest else None
            if needed:
                fields = _FIELDS.decode(raw)
                if rewrite(fields, needed):
                    raw = msgspec.json.encode(fields)
            return links(raw)

        return item

    def body(self, raw: bytes, resource: Resource) -> bytes:
        """Translate an answer that holds one item, or a list of items, under its key or bare."""
        needed = [entry for entry in self._of(resource).all if entry.worded.mark in raw]
        if needed:
            try:
                document = msgspec.json.decode(raw)
            except NOT_JSON:
                return self.links(raw)
            if sum(self._apply(item, needed) for item in items(document, resource)):
                raw = msgspec.json.encode(document)
        return self.links(raw)

    def fault(self, raw: bytes) -> bytes:
        """Translate the text of a refusal: the pod's name, its zone where zones are spoken of."""
        ours = self._pod.availability_zone.encode()
        raw = _reworded(self.links(raw), self._pod.name.encode(), ours)
        inner = self._pod.pod_availability_zone.encode()
        if inner and inner != ours and _ZONE_WORD.search(raw):
            raw = _reworded(raw, inner, ours)
        return raw

    def shown_id(self, resource: str) -> Callable[[Any], Any]:
        """Make what translates an id that the pod invented, or a list of them."""

        def new(value: Any) -> Any:
            if isinstance(value, list):
                return [new(entry) for entry in value]
            if isinstance(value, str):
                return self._names.user_id(resource, self._pod.name, value)
            return value

        return new

    def _of(self, resource: Resource) -> _Changes:
        """Collect the changes of a resource, once."""
        if not resource.ids:
            return _changes_in(self.words, resource)
        key = (resource.name, resource.identity)
        found = self._changes.get(key)
        if found is None:
            found = self._changes[key] = _changes(resource, self._new)
        return found

    def _new(self, entry: Worded) -> Callable[[Any], Any]:
        """Say what becomes of a field's value."""
        if entry.word is Word.SHOWN_ID:
            return self.shown_id(entry.resource)
        return self.words.translate(entry.word)

    def _rewrite(self, fields: dict[str, msgspec.Raw], changes: list[Change]) -> bool:
        changed = False
        for entry in changes:
            first = entry.worded.first
            if first in fields:
                old = bytes(fields[first])
                new = entry.of(old)
                if new != old:
                    fields[first] = msgspec.Raw(new)
                    changed = True
        return changed

    def _rewrite_numbered(self, fields: dict[str, msgspec.Raw], changes: list[Change]) -> bool:
        """Change fields of which one says how another changes."""
        names = [entry.worded.first for entry in changes if entry.worded.first in fields]
        opened = {name: msgspec.json.decode(fields[name]) for name in names}
        changed = self._apply(opened, changes)
        fields.update((name, _encoded(value)) for name, value in opened.items())
        return changed

    def _apply(self, item: dict[str, Any], changes: list[Change]) -> bool:
        local = item.get("id")
        changed = False
        for entry in changes:
            path = entry.worded.path
            new = self._ending(local) if path == LINKS else entry.new
            changed |= change(item, path, new)
        return changed

    def _ending(self, local: Any) -> Callable[[Any], Any]:
        """Make what replaces a number at the end of an item's link."""
        ending, shown = f"/{local}", f"/{self.words.number(local)}"

        def new(href: Any) -> Any:
            ends = isinstance(href, str) and href.endswith(ending)
            return href.removesuffix(ending) + shown if ends else href

        return new


def _reworded(text: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a word that is no part of a longer name or of a path."""
    if old not in text:
        return text
    return re.sub(rb"(?<![\w./~-])" + re.escape(old) + rb"(?![\w/~-])", lambda _: new, text)


def _encoded(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
