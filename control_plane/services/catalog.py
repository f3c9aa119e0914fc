"""All services, and the service a path at the gateway belongs to."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from control_plane.model.errors import Refused
from control_plane.services.cinder import VOLUME
from control_plane.services.glance import IMAGE
from control_plane.services.neutron import NETWORK
from control_plane.services.nova import COMPUTE
from control_plane.services.placement import PLACEMENT
from control_plane.services.service import Service

SERVICES: tuple[Service, ...] = (COMPUTE, VOLUME, NETWORK, IMAGE, PLACEMENT)

_BY_NAME = MappingProxyType({service.name: service for service in SERVICES})
_BY_PREFIX = MappingProxyType({service.prefix: service for service in SERVICES})
_BY_BARE = MappingProxyType({path: service for service in SERVICES for path in service.bare})
#: A project before the collection, as in bookmark links of old microversions.
_PROJECT = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a path at the gateway points.

    `version` is empty when the path has no version segment: then `rest` is `/` for the list of
    versions, and services that have versions answer any other `rest` with their choices (300).
    `base` is the prefix that was taken off, empty for a bare path.
    """

    service: Service
    version: str
    rest: str
    base: str


def service_named(name: str) -> Service:
    """Find a service; KeyError when there is none of that name."""
    return _BY_NAME[name]


def locate(path: str) -> Location:
    """Say which service a path (without its query) belongs to; Refused(404) when none."""
    first, second = _cut(path)
    service = _BY_PREFIX.get(first)
    if service is not None:
        return _located(service, path[len(first) :] or "/", first)
    service = _BY_BARE.get(first + second) or _BY_BARE.get(first)
    if service is None and _PROJECT.fullmatch(first.removeprefix("/")):
        service = _BY_BARE.get(second)
        service = service if service is not None and service.project_segment else None
    if service is None:
        raise Refused(HTTPStatus.NOT_FOUND, "The resource could not be found.")
    return _located(service, path, "")


def _cut(path: str) -> tuple[str, str]:
    """Cut the first two segments off, each with its slash."""
    segments = path.split("/", 3)
    first = f"/{segments[1]}" if len(segments) > 1 else ""
    second = f"/{segments[2]}" if len(segments) > 2 else ""  # noqa: PLR2004
    return first, second


def _located(service: Service, path: str, base: str) -> Location:
    first, _ = _cut(path)
    version = first.removeprefix("/")
    if version in service.versions:
        return Location(service, version, path[len(first) :] or "/", base)
    return Location(service, "", path, base)
