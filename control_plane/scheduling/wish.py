"""What a create wants of its pod."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pin:
    """A resource named by the request that already lives in a pod."""

    resource: str
    id: str
    pod: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A create's demands, soft and hard.

    `zone` is the user's zone, empty when none is asked for; `default_zone` is where a project that
    is bound nowhere goes then: empty for the first zone, `*` for all. `holders` are, for each
    replicated thing the request names, the pods that have it. `bound` are the pods the project is
    bound to, oldest binding first. `reachable` are the pods that answer, `unready` those that do
    not have all definitions yet.
    """

    service: str
    project_id: str
    zone: str = ""
    default_zone: str = ""
    pins: tuple[Pin, ...] = ()
    holders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    bound: tuple[str, ...] = ()
    with_service: frozenset[str] = frozenset()
    reachable: frozenset[str] = frozenset()
    unready: frozenset[str] = frozenset()
