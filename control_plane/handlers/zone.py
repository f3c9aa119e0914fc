"""The zone a request names: read in the users' words, written in the pod's."""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod
from control_plane.services.reference import references, replace


def wanted_zone(call: Call) -> str:
    """Read the zone a request asks for, a host part included; empty when it asks for none."""
    path = call.operation.zone
    return next(iter(references(call.json, path)), "") if path else ""


def write_zone(call: Call, pod: Pod) -> bool:
    """Put the pod's own name for the zone into the body; say whether that changed it.

    The host part of the administrators' form `ZONE:HOST[:NODE]` stays. A pod without a zone name
    of its own is told none.
    """
    asked = wanted_zone(call)
    zone, colon, host = asked.partition(":")
    inner = pod.pod_availability_zone
    if not asked or inner == zone:
        return False
    replace(call.json, call.operation.zone, lambda _: f"{inner}{colon}{host}" if inner else None)
    return True


def require_zone(call: Call, pod: Pod) -> None:
    """Refuse a request about a placed resource that asks for a zone the resource is not in."""
    asked = wanted_zone(call).partition(":")[0]
    if asked and asked != pod.availability_zone:
        message = (
            f"The requested availability zone {asked} is not available: the resource is in "
            f"{pod.availability_zone} and cannot leave it."
        )
        raise Refused(HTTPStatus.BAD_REQUEST, message)
