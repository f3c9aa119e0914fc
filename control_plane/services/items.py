"""Where the things stand that a body tells of."""

from collections.abc import Iterator
from typing import Any

from control_plane.services.operation import Resource


def items(document: Any, resource: Resource) -> Iterator[dict[str, Any]]:
    """Read the item, or the items, that a body holds under their key or bare."""
    if not isinstance(document, dict):
        return
    one, many = document.get(resource.key), document.get(resource.plural)
    if isinstance(one, dict):
        yield one
    elif isinstance(many, list):
        yield from (item for item in many if isinstance(item, dict))
    elif resource.identity in document:
        yield document  # Glance wraps nothing
