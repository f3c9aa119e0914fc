"""Host names in a request: an administrator may put the pod before them (`Pod1~compute1`).

A pod before a host decides the pod, as an id does; pods are told their own names for hosts.
"""

from collections.abc import Iterable
from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.model.errors import Refused
from control_plane.model.host import parse_host
from control_plane.model.pod import Pod
from control_plane.scheduling.wish import Pin
from control_plane.services.reference import references, replace


def host_pins(call: Call, paths: Iterable[str]) -> tuple[Pin, ...]:
    """Read the pods that host names in the body name; paths into the query are not looked at."""
    fleet = call.view.fleet
    found = [
        parse_host(fleet, name) for path in _in_body(paths) for name in references(call.json, path)
    ]
    return tuple(Pin("host", host, pod.name) for pod, host in found if pod is not None)


def require_hosts(call: Call, pod: Pod, paths: Iterable[str]) -> None:
    """Refuse a move to a host of another pod than the one that has the resource."""
    for pin in host_pins(call, paths):
        other = call.view.fleet.get(pin.pod)
        if other is None or other.name == pod.name:
            continue
        zone = other.availability_zone
        where = "another part of" if zone == pod.availability_zone else "availability zone"
        message = f"The host {pin.id} is in {where} {zone}, where the resource cannot go."
        raise Refused(HTTPStatus.BAD_REQUEST, message)


def write_hosts(call: Call, paths: Iterable[str]) -> bool:
    """Take the pods off the host names in the body; say whether that changed it."""
    fleet = call.view.fleet
    changed = [
        replace(call.json, path, lambda name: parse_host(fleet, name)[1])
        for path in _in_body(paths)
    ]
    return any(changed)


def _in_body(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not path.startswith("?")]
