"""Which pods a list asks, and what each is told of the filters that speak of zones and hosts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from control_plane.model.fleet import Fleet
from control_plane.model.host import parse_host
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.services.listing import Narrow, Says

Parameters = tuple[tuple[str, str], ...]

#: Gives a pod's id of a resource's id.
Local = Callable[[str, str, Pod], str]


def _same(_: str, resource_id: str, __: Pod) -> str:
    return resource_id


@dataclass(frozen=True, slots=True)
class Asked:
    """A pod that is asked for a list, and the filters in its own words."""

    pod: Pod
    rest: Parameters


def honoured(
    narrows: Sequence[Narrow], version: Microversion | None, *, admin: bool
) -> dict[str, Narrow]:
    """Find the filters by parameter that the service does not drop for this caller."""
    return {
        narrow.parameter: narrow
        for narrow in narrows
        if admin
        or not (
            narrow.admin
            or (narrow.since and version is not None and version < Microversion.parse(narrow.since))
        )
    }


def narrow(
    fleet: Fleet,
    pods: Sequence[Pod],
    rest: Parameters,
    narrows: Mapping[str, Narrow],
    owners: Mapping[str, str],
    local: Local = _same,
) -> list[Asked]:
    """Leave out the pods that no filter can match; `owners` are pods by the ids that are known.

    `local` says a pod's own id of a definition.
    """
    asked = []
    for pod in pods:
        own = _for_pod(fleet, pod, rest, narrows, owners, local)
        if own is not None:
            asked.append(Asked(pod, own))
    return asked


def _for_pod(
    fleet: Fleet,
    pod: Pod,
    rest: Parameters,
    narrows: Mapping[str, Narrow],
    owners: Mapping[str, str],
    local: Local,
) -> Parameters | None:
    own = []
    for name, value in rest:
        rule = narrows.get(name)
        if rule is None or not value:
            own.append((name, value))
        elif rule.says is Says.HOST:
            named, host = parse_host(fleet, value)
            if named is not None and named.name != pod.name:
                return None
            own.append((name, host))
        elif rule.says is Says.ID:
            if owners.get(value, pod.name) != pod.name:
                return None
            own.append((name, value))
        elif rule.says is Says.COPY:
            own.append((name, local(rule.resource, value, pod)))
        elif not _in_zone(value, pod.availability_zone, pattern=rule.says is Says.ZONE_PATTERN):
            return None
        elif pod.pod_availability_zone:
            own.append((name, pod.pod_availability_zone))
    return tuple(own)


def _in_zone(value: str, zone: str, *, pattern: bool) -> bool:
    if not pattern or value == zone:
        return value == zone
    try:
        return re.search(value, zone) is not None
    except re.error:
        return False
