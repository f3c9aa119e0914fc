"""Choose the pod of a create."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from control_plane.model.errors import Refused, unavailable
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.scheduling.filters import HARD, SOFT
from control_plane.scheduling.weighers import affinity
from control_plane.scheduling.wish import Pin, Wish

#: As default zone: projects spread over all zones.
EVERY_ZONE = "*"


@dataclass(frozen=True, slots=True)
class Choice:
    """A pod, and the rule that decided: pinned, bound or weighed."""

    pod: Pod
    reason: str


def choose(fleet: Fleet, wish: Wish) -> Choice:
    """Pick the pod: pins first, then the zone, then the project's binding, then the weights.

    Refused(400) for pins that disagree with each other or the zone and for an unknown zone,
    Refused(503) when the zone has no pod that takes creates.
    """
    if wish.zone and wish.zone not in fleet.zones:
        message = f"The requested availability zone {wish.zone} is not available."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    if wish.pins:
        return Choice(_pinned(fleet, wish), "pinned")
    # Most creates: what every rule lets pass is a candidate, whoever else is.
    first = fleet.get(wish.bound[0]) if wish.bound else None
    if first is not None and all(rule(first, wish) for rule in (*HARD, *SOFT)):
        return Choice(first, "bound")
    candidates = _candidates(fleet, wish)
    for name in wish.bound:
        for pod in candidates:
            if pod.name == name:
                return Choice(pod, "bound")
    candidates = _at_home(candidates, wish)
    return Choice(max(candidates, key=lambda pod: affinity(pod, wish)), "weighed")


def _at_home(pods: Sequence[Pod], wish: Wish) -> Sequence[Pod]:
    """Keep to the default zone, so that what names no zone can be used together.

    As in one cloud with a `default_schedule_zone`: a server and a volume of two projects, neither
    of which asked for a zone, must not be in two.
    """
    if wish.zone or wish.default_zone == EVERY_ZONE:
        return pods
    home = wish.default_zone or min(pod.availability_zone for pod in pods)
    return [pod for pod in pods if pod.availability_zone == home] or pods


def _pinned(fleet: Fleet, wish: Wish) -> Pod:
    pods = {pin: fleet.get(pin.pod) for pin in wish.pins}
    first = wish.pins[0]
    pod = pods[first]
    if pod is None or not pod.serves:
        message = f"The {_name(first)} cannot be reached now."
        raise unavailable(message)
    for pin, other in pods.items():
        if other is not pod:
            raise Refused(HTTPStatus.BAD_REQUEST, _conflict(first, pod, pin, other))
    if wish.zone and wish.zone != pod.availability_zone:
        message = (
            f"The {_name(first)} is in availability zone {pod.availability_zone}, "
            f"not in {wish.zone}."
        )
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    if not pod.takes_creates:
        message = f"The part of {pod.availability_zone} with the {_name(first)} takes no creates."
        raise unavailable(message)
    return pod


def _name(pin: Pin) -> str:
    return f"{pin.resource.replace('_', ' ')} {pin.id}"


def _conflict(first: Pin, pod: Pod, second: Pin, other: Pod | None) -> str:
    there = other.availability_zone if other else "another availability zone"
    if there == pod.availability_zone:
        return (
            f"The {_name(first)} and the {_name(second)} are in different parts of availability "
            f"zone {there} and cannot be used together."
        )
    return (
        f"The {_name(first)} is in availability zone {pod.availability_zone} and the "
        f"{_name(second)} in {there}; they must be in the same zone."
    )


def _candidates(fleet: Fleet, wish: Wish) -> Sequence[Pod]:
    pods = [pod for pod in fleet if all(rule(pod, wish) for rule in HARD)]
    if not pods:
        where = f"Availability zone {wish.zone}" if wish.zone else "The cloud"
        message = f"{where} takes no creates of this kind now."
        raise unavailable(message)
    for rule in SOFT:
        pods = [pod for pod in pods if rule(pod, wish)] or pods
    return pods
