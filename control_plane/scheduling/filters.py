"""Rules that exclude a pod from a create.

A filter takes a pod and a wish and says whether the pod may take the create. `HARD` filters must
all agree; `SOFT` ones hold unless they leave no pod at all.
"""

from collections.abc import Callable

from control_plane.model.pod import Pod
from control_plane.scheduling.wish import Wish

Filter = Callable[[Pod, Wish], bool]


def takes_creates(pod: Pod, _: Wish) -> bool:
    """Leave out cordoned and disabled pods, and those of weight 0."""
    return pod.takes_creates


def offers_service(pod: Pod, wish: Wish) -> bool:
    """Leave out pods that do not have the service at all."""
    return pod.name in wish.with_service


def is_ready(pod: Pod, wish: Wish) -> bool:
    """Leave out pods that do not have the flavors and types of the others yet."""
    return pod.name not in wish.unready


def in_zone(pod: Pod, wish: Wish) -> bool:
    """Leave out pods of other zones when a zone is asked for."""
    return not wish.zone or pod.availability_zone == wish.zone


def has_copies(pod: Pod, wish: Wish) -> bool:
    """Prefer pods that have every image and flavor the request names."""
    return all(pod.name in holders for holders in wish.holders.values())


def is_reachable(pod: Pod, wish: Wish) -> bool:
    """Prefer pods that answered when they were last looked at."""
    return pod.name in wish.reachable


HARD: tuple[Filter, ...] = (takes_creates, offers_service, is_ready, in_zone)
SOFT: tuple[Filter, ...] = (has_copies, is_reachable)
