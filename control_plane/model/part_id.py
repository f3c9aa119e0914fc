"""Ids of parts of what users have once: the same whichever pod answers."""

from uuid import NAMESPACE_URL, uuid5


def part_id(kind: str, whole: str) -> str:
    """Make the id that users see of the one part of a kind that a thing has."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{whole}"))
