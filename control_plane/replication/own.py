"""The gateway's own requests to pods: made with its own token, outside any user's request."""

from collections.abc import Mapping
from typing import Protocol

from control_plane.model.caller import Caller
from control_plane.replication.write import Write
from control_plane.services.operation import Operation, static
from control_plane.services.service import Service

_ANY = static("GET", "/")


class Tokens(Protocol):
    """Gives the gateway's own token."""

    async def token(self) -> str:
        """Give a valid token; KeystoneError if there is none."""


class Verifier(Protocol):
    """Says who a token is."""

    async def verify(self, token: str) -> Caller:
        """Give the caller."""


class Own:
    """Speaks to pods as the gateway's own user, an administrator of each."""

    def __init__(self, tokens: Tokens, verifier: Verifier) -> None:
        """Take what gives tokens and says whose they are."""
        self._tokens = tokens
        self._verifier = verifier

    async def speak(
        self,
        service: Service,
        version: str = "",
        *,
        operation: Operation = _ANY,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
    ) -> Write:
        """Make a request of the gateway's own, at a microversion if the service has them."""
        token = await self._tokens.token()
        headers = {"x-auth-token": token, "accept": "application/json"}
        headers |= version_headers(service, version)
        project = ""
        if service.project_segment:
            project = (await self._verifier.verify(token)).project_id
        return Write(
            service,
            operation,
            method,
            params or {},
            headers=headers,
            version=service.versions[0] if service.versions else "",
            project=project,
        )


def version_headers(service: Service, version: str) -> dict[str, str]:
    """Ask for a microversion in both forms a service may know; nothing asked is the lowest."""
    spoken = service.microversions
    headers = {"content-type": "application/json"}
    if spoken is None or not version:
        return headers
    headers["openstack-api-version"] = f"{spoken.service_type} {version}"
    if spoken.legacy:
        headers[spoken.legacy] = version
    return headers
