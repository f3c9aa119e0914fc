"""The zone a request names: read in the users' words, written in the pod's."""

from dataclasses import replace as replace_fields
from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.errors import Refused
from control_plane.model.host import parse_host
from control_plane.model.pod import Pod
from control_plane.scheduling.wish import Pin
from control_plane.services.items import items
from control_plane.services.reference import references, replace


def wanted_zone(call: Call, path: str) -> str:
    """Read the zone a request asks for, a host part included; empty when it asks for none.

    Refused(400) when it asks for several, as a bulk create or a list of hints may: all that one
    request makes is in one pod.
    """
    asked = list(dict.fromkeys(references(call.json, path))) if path else []
    if len(asked) > 1:
        message = (
            f"The requested availability zones {', '.join(asked)} cannot be had at once: "
            "what one request makes is in one zone."
        )
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return asked[0] if asked else ""


async def has_zone(cloud: Cloud, call: Call, pod: Pod) -> bool:
    """Whether a pod's service knows the pod's zone for what is to be made, and can be told of it.

    Some services have zones where they have agents, not where Nova has hosts. That the request is
    carried to the pod is all that such a zone is for, then.
    """
    operation = call.operation
    if not operation.known_zones or not wanted_zone(call, operation.zone):
        return True
    request = replace_fields(call.to_pods("GET", call.sibling(operation.known_zones)), body=None)
    answer = await cloud.pods.ask(pod, request)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return True
    kind = call.service.resources["zone"]
    return any(
        zone.get(kind.identity) == pod.pod_availability_zone
        and zone.get("resource", operation.answer) == operation.answer
        for zone in items(msgspec.json.decode(answer.body), kind)
    )


def zone_pins(call: Call, path: str) -> tuple[Pin, ...]:
    """Read the pods named in the host part of the administrators' `ZONE:HOST[:NODE]`."""
    _, _, host = wanted_zone(call, path).partition(":")
    found = [parse_host(call.view.fleet, part) for part in host.split(":")]
    return tuple(Pin("host", name, pod.name) for pod, name in found if pod is not None)


def write_zone(call: Call, pod: Pod, path: str, *, known: bool = True) -> bool:
    """Put the pod's own name for the zone into the body; say whether that changed it.

    The host part of the administrators' form stays, without pods. A pod without a zone name of its
    own, and one in which the zone is not `known`, is told none.
    """
    asked = wanted_zone(call, path)
    if not asked:
        return False
    zone, colon, host = asked.partition(":")
    inner = pod.pod_availability_zone if zone and known else ""
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
