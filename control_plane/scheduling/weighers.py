"""What makes one pod better than another for a project that is bound to none."""

import hashlib
import math

from control_plane.model.pod import Pod
from control_plane.scheduling.wish import Wish

_SCALE = float(1 << 64)


def affinity(pod: Pod, wish: Wish) -> float:
    """Score a pod by weighted rendezvous hashing; the highest score wins.

    The same project gets the same pod from every replica, projects spread over pods in proportion
    to their weights, and a new pod takes only its own share of the projects not yet bound.
    """
    digest = hashlib.sha256(f"{wish.project_id}\0{pod.name}".encode()).digest()
    # In (0, 1): 0 has no logarithm.
    draw = (int.from_bytes(digest[:8]) + 0.5) / _SCALE
    return -pod.weight / math.log(draw)
