"""Integers that each pod counts for itself, as users see them: one number for thing and pod.

Stateless and reversible: a pod keeps its number for ever (`Pod.number`).
"""

from control_plane.model.fleet import Fleet
from control_plane.model.pod import HIGHEST_NUMBER, Pod

_PODS = HIGHEST_NUMBER + 1


def shown_number(pod: int, local: int) -> int:
    """Say a pod's integer so that it is the only one."""
    return local * _PODS + pod


def parse_number(fleet: Fleet, shown: int) -> tuple[Pod | None, int]:
    """Take a shown integer apart; None and 0, which no pod counts, when it is of no pod."""
    local, number = divmod(shown, _PODS)
    pod = next((entry for entry in fleet if entry.number == number), None)
    return (pod, local) if pod is not None and number else (None, 0)
