"""A definition's state as an intent holds it, to be restored in a pod later."""

from typing import Any

from control_plane.replication.state import State

#: Stands in an intent where a method would: the path names a definition, the body is its state.
RESTORE = "RESTORE"


def plain(state: State | None) -> Any:
    """Write a state as JSON can hold it; None: there is to be no such thing."""
    if state is None:
        return None
    return {
        "fields": dict(state.fields),
        "specs": dict(state.specs),
        "access": sorted(state.access),
        "attachment": dict(state.attachment) if state.attachment else None,
        "association": state.association,
    }


def state_of(written: Any) -> State | None:
    """Read what `plain` wrote."""
    if written is None:
        return None
    return State(**{**written, "access": frozenset(written["access"])})
