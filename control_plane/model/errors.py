"""Every error the control plane raises on purpose.

    Trio2oError
    ├── Refused                what a user is told: a status, a message, headers
    │   ├── Unrouted           no endpoint has that path and method
    │   └── Unreadable         a question that no pod can make more of, in whose words it is refused
    ├── PodUnreachable         a pod did not answer; the caller of a pod decides what that means
    │   └── EgressClosed       no pod was asked: there is no Envoy that listens
    ├── StoreUnreachable       the database does not answer, or can do nothing now
    ├── Conflict               a record with that name or key exists already
    ├── Missing                no record with that name or id
    ├── Invalid                a field of a record has a value that cannot be
    ├── InUse                  a pod still owns resources; carries how many
    └── StartupError           the process cannot start; its text is the one line shown

`Refused` is turned into a service's fault body in one place only: `control_plane.services.fault`.
A cancelled request is no error and is not here.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

#: What the decoder raises for what others send: to octets that are no UTF-8, and to lists in
#: ever more lists, it has other words than DecodeError.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Trio2oError(Exception):
    """Root of the tree."""


class Refused(Trio2oError):
    """A request that is answered with an error in the service's own fault form."""

    def __init__(
        self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what the fault body and the headers are made of."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers: Mapping[str, str] = headers or {}


class Unrouted(Refused):
    """No endpoint has that path and method; the routers of some services have their own words."""


class Unreadable(Refused):
    """A question that makes no sense to any pod either; the words are for where none has any."""


def unavailable(message: str, retry_after: int = 5) -> Refused:
    """Make the 503 of something that may work again in `retry_after` seconds."""
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": str(retry_after)})


class PodUnreachable(Trio2oError):
    """A pod did not answer, or Envoy answered 503 or 504 in its place."""

    def __init__(self, pod: str, reason: str) -> None:
        """Keep the pod's name for operators; users are told the zone."""
        super().__init__(f"pod {pod}: {reason}")
        self.pod = pod
        self.reason = reason


class EgressClosed(PodUnreachable):
    """No pod was asked, since there is no Envoy to ask through: that says nothing of the pod."""


class StoreUnreachable(Trio2oError):
    """The database does not answer, takes too long, or can do nothing now."""

    def __init__(self, cause: BaseException) -> None:
        """Say in one line what it, or its driver, said."""
        text = str(getattr(cause, "orig", None) or cause)
        super().__init__(f"database: {' '.join(text.split()) or type(cause).__name__}")


class Conflict(Trio2oError):
    """A record with that name or key exists already."""


class Missing(Trio2oError):
    """No record with that name or id."""


class Invalid(Trio2oError):
    """A field of a record has a value that cannot be."""


class InUse(Trio2oError):
    """A pod is to be deleted that still owns resources."""

    def __init__(self, pod: str, resources: int) -> None:
        """Keep how many, since the operator is told."""
        super().__init__(f"pod {pod} still owns {resources} resources")
        self.pod = pod
        self.resources = resources


class StartupError(Trio2oError):
    """The process cannot start; the text is the one line an operator sees."""
