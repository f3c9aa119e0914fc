"""Write the merged page: the items, the link to the next page, the count."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from urllib.parse import urlencode

import msgspec

from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

#: How much of an answer is written at once, octets; the first piece is smaller, since a client
#: waits for it while nobody is at work but the gateway.
FIRST = 64 * 1024
CHUNK = 256 * 1024


def next_query(parameters: Sequence[tuple[str, str]], marker: str) -> str:
    """Write the query of the next page: all parameters sorted by name, with the new marker.

    Those of one name stay in their order: sort keys mean something else the other way round.
    """
    kept = [entry for entry in parameters if entry[0] not in {"marker", "offset"}]
    return urlencode(sorted([*kept, ("marker", marker)], key=itemgetter(0)))


def write(
    resource: Resource,
    items: Iterable[bytes],
    form: LinkForm,
    following: Callable[[], str | None],
    first: str,
    count: int | None,
) -> Iterator[bytes]:
    """Write the body piece by piece, none but the last below `FIRST`.

    `following` gives the URL of the next page, None for none, once all items were written.

    `first` is the list's own path, which Glance repeats in each page. Items are taken as they are
    written, so that no more than a piece is held.
    """
    encode = msgspec.json.encode
    piece = bytearray(f'{{"{resource.plural}": ['.encode())
    separator = b""
    enough = FIRST
    for item in items:
        piece += separator
        piece += item
        separator = b", "
        if len(piece) >= enough:
            yield bytes(piece)
            piece.clear()
            enough = CHUNK
    piece += b"]"
    link = following()
    if form is LinkForm.LINKS and link is not None and resource.links_key is not None:
        links = encode([{"rel": "next", "href": link}])
        piece += f', "{resource.links_key}": '.encode() + links
    if form is LinkForm.RELATIVE:
        piece += b', "first": ' + encode(first)
        if link is not None:
            piece += b', "next": ' + encode(link)
    if count is not None:
        piece += b', "count": ' + encode(count)
    piece += b"}"
    yield bytes(piece)
