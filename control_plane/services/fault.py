"""Error bodies, each in the form of its service.

The one place where a status and a message become what clients of Nova, Cinder, Neutron, Glance
and Placement expect (`FaultForm` shows the shapes).
"""

import html
import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from control_plane.services.service import FaultForm, Service

_JSON = "application/json"
_HTML = "text/html; charset=UTF-8"
_TEXT = "text/plain; charset=UTF-8"

#: `_fault_names` of nova.api.openstack.wsgi; Cinder has the same without 429.
_NAMES: Mapping[int, str] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: "badRequest",
        HTTPStatus.FORBIDDEN: "forbidden",
        HTTPStatus.NOT_FOUND: "itemNotFound",
        HTTPStatus.METHOD_NOT_ALLOWED: "badMethod",
        HTTPStatus.CONFLICT: "conflictingRequest",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "overLimit",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "badMediaType",
        HTTPStatus.TOO_MANY_REQUESTS: "overLimit",
        HTTPStatus.NOT_IMPLEMENTED: "notImplemented",
        HTTPStatus.SERVICE_UNAVAILABLE: "serviceUnavailable",
    }
)
_OTHER = "computeFault"


def render(
    service: Service,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    accept: str = "*/*",
) -> tuple[bytes, str]:
    """Make a body and its content type; `headers` are the answer's, `accept` the request's.

    In front of services whose faults are JSON stands keystonemiddleware, whose 401 has a form of
    its own.
    """
    if service.fault is FaultForm.HTML:
        return _webob(status, message, accept)
    if status == HTTPStatus.UNAUTHORIZED:
        return unserviced(status, message)
    if service.fault is FaultForm.NEUTRON:
        return _neutron(status, message), service.fault_type
    if service.fault is FaultForm.ERRORS:
        return _errors(status, message), service.fault_type
    return _named(status, message, (headers or {}).get("retry-after", "")), service.fault_type


def unrouted(service: Service, status: int, message: str, accept: str = "*/*") -> tuple[bytes, str]:
    """Make the body for a path and method that no endpoint of a service has."""
    if service.router_pages:
        return _webob(status, message, accept)
    return render(service, status, message, accept=accept)


def unserviced(status: int, message: str) -> tuple[bytes, str]:
    """Make the body for a path that belongs to no service, in Keystone's form."""
    error = {"code": status, "title": _phrase(status), "message": message}
    return _encoded({"error": error}), _JSON


def _named(status: int, message: str, retry_after: str) -> bytes:
    fault: dict[str, object] = {"code": status, "message": message}
    name = _NAMES.get(status, _OTHER)
    if name == "overLimit" and retry_after:
        fault["retryAfter"] = retry_after
    return _encoded({name: fault})


def _neutron(status: int, message: str) -> bytes:
    kind = "HTTP" + _phrase(status).replace(" ", "")
    return _encoded({"NeutronError": {"type": kind, "message": message, "detail": ""}})


def _errors(status: int, message: str) -> bytes:
    error = {"status": status, "title": _phrase(status), "detail": message}
    return _encoded({"errors": [error]})


def _webob(status: int, message: str, accept: str) -> tuple[bytes, str]:
    """Write an exception of webob: a page, JSON or text, whichever the client prefers."""
    page, document = _quality(accept, "text/html"), _quality(accept, _JSON)
    if page and page >= document:
        return _page(status, message), _HTML
    title = f"{status} {_phrase(status)}"
    if document:
        body = {"message": f"{message}<br /><br />\n\n\n", "code": title, "title": _phrase(status)}
        return _encoded(body), _JSON
    return f"{title}\n\n{message}\n\n   ".encode(), _TEXT


def _quality(accept: str, media_type: str) -> float:
    """Read how welcome a media type is: the most specific range that covers it decides."""
    ranges = {}
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        ranges[name] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    kind = media_type.partition("/")[0]
    return next((ranges[name] for name in (media_type, f"{kind}/*", "*/*") if name in ranges), 0.0)


def _page(status: int, message: str) -> bytes:
    title = f"{status} {_phrase(status)}"
    page = (
        f"<html>\n <head>\n  <title>{title}</title>\n </head>\n"
        f" <body>\n  <h1>{title}</h1>\n  {html.escape(message)}<br /><br />\n\n\n\n </body>\n"
        "</html>"
    )
    return page.encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _encoded(document: object) -> bytes:
    return json.dumps(document).encode()
