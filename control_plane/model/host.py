"""Host names as administrators see them: `Pod1~compute1`, since pods may repeat a name.

`~` cannot be in a pod's name; a host's own name may hold one.
"""

from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod

#: Between the pod and the host.
SEPARATOR = "~"


def shown_host(pod: str, host: str) -> str:
    """Say a host's name so that it is the only one; an empty name stays empty."""
    return f"{pod}{SEPARATOR}{host}" if host else host


def parse_host(fleet: Fleet, name: str) -> tuple[Pod | None, str]:
    """Cut the pod off a host's name; None and the whole name when it begins with no pod."""
    head, separator, host = name.partition(SEPARATOR)
    pod = fleet.get(head) if separator else None
    return (pod, host) if pod is not None else (None, name)
