"""Write the merged page: the items, the link to the next page, the count."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm


def next_query(parameters: Sequence[tuple[str, str]], marker: str) -> str:
    """Write the query of the next page: all parameters sorted, with the new marker."""
    kept = [entry for entry in parameters if entry[0] not in {"marker", "offset"}]
    return urlencode(sorted([*kept, ("marker", marker)]))


def write(
    resource: Resource,
    items: Sequence[bytes],
    form: LinkForm,
    following: str | None,
    first: str,
    count: int | None,
) -> bytes:
    """Write the body; `following` is the URL of the next page, None when there is none.

    `first` is the list's own path, which Glance repeats in each page.
    """
    parts = [f'"{resource.plural}": ['.encode() + b", ".join(items) + b"]"]
    encode = msgspec.json.encode
    if form is LinkForm.LINKS and following is not None and resource.links_key is not None:
        links = encode([{"rel": "next", "href": following}])
        parts.append(f'"{resource.links_key}": '.encode() + links)
    if form is LinkForm.RELATIVE:
        parts.append(b'"first": ' + encode(first))
        if following is not None:
            parts.append(b'"next": ' + encode(following))
    if count is not None:
        parts.append(b'"count": ' + encode(count))
    return b"{" + b", ".join(parts) + b"}"
