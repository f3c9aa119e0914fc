"""Write the merged page: the items, the link to the next page, the count."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from urllib.parse import urlencode

import msgspec

from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

#: How much of an answer is written at once, octets; the first piece is smaller, since a client
#: waits for it while nobody is at work but the gateway.
FIRST = 64 * 1024
CHUNK = 256 * 1024


def next_query(parameters: Sequence[tuple[str, str]], marker: str | None) -> str:
    """Write the query of another page: all parameters sorted by name, with the new marker, if any.

    Those of one name stay in their order: sort keys mean something else the other way round.
    """
    kept = [entry for entry in parameters if entry[0] not in {"marker", "offset"}]
    if marker is not None:
        kept.append(("marker", marker))
    return urlencode(sorted(kept, key=itemgetter(0)))


class Body:
    """The body of a page, written piece by piece, none but the last below `FIRST`.

    Items are taken as they are written, so that no more than a piece is held.
    """

    def __init__(self) -> None:
        """Begin behind the bracket that opens the list."""
        self._items: list[bytes] = []
        self._size = 0
        self._enough = FIRST
        self._separator = b""

    def fill(self, items: Iterable[bytes]) -> Iterator[bytes]:
        """Take items, giving a piece whenever one is full."""
        held, size = self._items, self._size
        for item in items:
            held.append(item)
            size += len(item)
            if size >= self._enough:
                yield self._piece()
                size, self._enough = 0, CHUNK
        self._size = size

    def end(
        self,
        resource: Resource,
        form: LinkForm,
        following: str | None,
        first: str,
        count: int | None,
        before: str | None = None,
    ) -> bytes:
        """Write what is left, the URLs of the next page and of the one before, and the count.

        `first` is the list's own path, which Glance repeats in each page, with the schema's.
        """
        encode = msgspec.json.encode
        parts = [self._piece(), b"]"]
        pages = {"next": following, "previous": before}
        links = [{"rel": rel, "href": href} for rel, href in pages.items() if href is not None]
        if form is LinkForm.LINKS and links and resource.links_key is not None:
            parts += [f', "{resource.links_key}": '.encode(), encode(links)]
        if resource.schema:
            parts += [b', "first": ', encode(first), b', "schema": ', encode(resource.schema)]
        if form is LinkForm.RELATIVE and following is not None:
            parts += [b', "next": ', encode(following)]
        if count is not None:
            parts += [b', "count": ', encode(count)]
        parts.append(b"}")
        return b"".join(parts)

    def _piece(self) -> bytes:
        if not self._items:
            return b""
        piece = self._separator + b", ".join(self._items)
        self._separator = b", "
        self._items.clear()
        return piece


def opening(resource: Resource, items: Sequence[bytes], *, more: bool) -> bytes:
    """Write how a page begins, with items before all others; `more`: others follow."""
    before = b", ".join(items) + (b", " if items and more else b"")
    return f'{{"{resource.plural}": ['.encode() + before
