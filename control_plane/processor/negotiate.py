"""Microversions of a request: what is asked for, what the pods get, what the answer says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from control_plane.model.errors import Refused
from control_plane.model.microversion import Microversion, MicroversionRange, requested_version
from control_plane.services.operation import Operation
from control_plane.services.service import MicroversionHeaders, Service

STANDARD = "openstack-api-version"


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The version, the headers that tell pods so, and those to take away.

    `version` is None for a service without microversions; `told`: answers name it.
    """

    version: Microversion | None = None
    put: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    told: bool = True


def negotiate(
    service: Service,
    path_version: str,
    headers: Mapping[str, str],
    offered: MicroversionRange | None,
) -> Negotiated:
    """Settle the microversion of a request.

    Refused(400) for text that is no version, Refused(406) outside the range all pods share. With
    no range known yet the request goes on as it is, and the pod decides. A path with an older
    version than the service's first (`/v2/` of Nova) has no microversions, nor has Nova's list of
    versions: headers are ignored, and none is in the answer.
    """
    rules = service.microversions
    if rules is None:
        return Negotiated()
    heeded = _heeds(service, rules, path_version)
    asked = _asked(rules, headers) if heeded else None
    if asked is None:
        present = tuple(name for name in (STANDARD, rules.legacy) if name and name in headers)
        return Negotiated(rules.default, remove=present, told=heeded)
    if asked == "latest":
        if offered is None:
            return Negotiated(rules.default)
        version = offered.maximum
    else:
        version = _parse(asked)
        if offered is not None and version not in offered:
            message = (
                f"Version {version} is not supported by the API. Minimum is {offered.minimum} "
                f"and maximum is {offered.maximum}."
            )
            # The services say in the headers which version they do not have.
            raise Refused(HTTPStatus.NOT_ACCEPTABLE, message, version_headers(service, version))
    remove = (rules.legacy,) if rules.legacy in headers else ()
    return Negotiated(version, {STANDARD: f"{rules.service_type} {version}"}, remove)


def _heeds(service: Service, rules: MicroversionHeaders, path_version: str) -> bool:
    """Whether there are microversions below what a path begins with."""
    if not service.versions:
        return True
    return path_version == service.versions[0] if path_version else rules.above


def _asked(rules: MicroversionHeaders, headers: Mapping[str, str]) -> str | None:
    """Read what the request asks for; the standard header wins over the older one."""
    header = headers.get(STANDARD)
    if header is not None:
        found = requested_version(header, rules.service_type)
        if found is not None:
            return found
        if rules.foreign_is_error:
            message = f"API version string {header} is of invalid format."
            raise Refused(HTTPStatus.BAD_REQUEST, message)
    legacy = headers.get(rules.legacy) if rules.legacy else None
    return legacy.strip() if legacy is not None else None


def _parse(text: str) -> Microversion:
    try:
        return Microversion.parse(text)
    except ValueError as error:
        message = (
            f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
        )
        raise Refused(HTTPStatus.BAD_REQUEST, message) from error


def require_offered(operation: Operation, version: Microversion | None) -> None:
    """Refuse an endpoint outside its versions with 404, as services do."""
    if version is None:
        return
    early = operation.since is not None and version < operation.since
    late = operation.until is not None and version > operation.until
    if early or late:
        raise Refused(HTTPStatus.NOT_FOUND, "The resource could not be found.")


def version_headers(service: Service, version: Microversion | None) -> dict[str, str]:
    """Make the version headers of an answer the gateway gives itself."""
    rules = service.microversions
    if rules is None or version is None:
        return {}
    found = {STANDARD: f"{rules.service_type} {version}", "vary": "OpenStack-API-Version"}
    if rules.legacy:
        found[rules.legacy] = str(version)
        found["vary"] = f"OpenStack-API-Version, {_titled(rules.legacy)}"
    return found


def _titled(name: str) -> str:
    return "-".join(
        part.upper() if part == "api" else "OpenStack" if part == "openstack" else part.title()
        for part in name.split("-")
    )
