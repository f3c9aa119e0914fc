"""The zone a request names: read in the users' words, written in the pod's."""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.model.errors import Refused
from control_plane.model.host import parse_host
from control_plane.model.pod import Pod
from control_plane.scheduling.wish import Pin
from control_plane.services.reference import references, replace


def wanted_zone(call: Call, path: str) -> str:
    """Read the zone a request asks for, a host part included; empty when it asks for none."""
    return next(iter(references(call.json, path)), "") if path else ""


def zone_pins(call: Call, path: str) -> tuple[Pin, ...]:
    """Read the pods named in the host part of the administrators' `ZONE:HOST[:NODE]`."""
    _, _, host = wanted_zone(call, path).partition(":")
    found = [parse_host(call.view.fleet, part) for part in host.split(":")]
    return tuple(Pin("host", name, pod.name) for pod, name in found if pod is not None)


def write_zone(call: Call, pod: Pod, path: str) -> bool:
    """Put the pod's own name for the zone into the body; say whether that changed it.

    The host part of the administrators' form stays, without pods. A pod without a zone name of its
    own is told none.
    """
    asked = wanted_zone(call, path)
    if not asked:
        return False
    zone, colon, host = asked.partition(":")
    inner = pod.pod_availability_zone if zone else ""
    hosts = ":".join(parse_host(call.view.fleet, part)[1] for part in host.split(":"))
    told = f"{inner}{colon}{hosts}"
    if asked == told:
        return False
    replace(call.json, path, lambda _: told or None)
    return True


def require_zone(call: Call, pod: Pod, path: str) -> None:
    """Refuse a request about a placed resource that asks for a zone the resource is not in."""
    asked = wanted_zone(call, path).partition(":")[0]
    if asked and asked != pod.availability_zone:
        message = (
            f"The requested availability zone {asked} is not available: the resource is in "
            f"{pod.availability_zone} and cannot leave it."
        )
        raise Refused(HTTPStatus.BAD_REQUEST, message)
