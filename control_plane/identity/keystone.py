"""The gateway's own user at Keystone: its session, its catalog, and what Keystone says of a token.

keystoneauth1 speaks blocking HTTP, so its calls run in a thread; they are rare, since tokens are
cached by `tokens.py` and the catalog is read about once a minute.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from control_plane.model.caller import Caller
from control_plane.model.errors import Trio2oError, unavailable
from control_plane.settings import Settings

Result = TypeVar("Result")


class KeystoneError(Trio2oError):
    """Keystone could not be reached, or refused the gateway's own user."""


class Keystone:
    """Keystone as the gateway's own user sees it."""

    def __init__(self, settings: Settings) -> None:
        """Prepare a session; nothing is sent before the first call."""
        identity = settings.identity
        self.auth_url = str(identity.auth_url).rstrip("/")
        self._session = Session(
            auth=Password(
                auth_url=self.auth_url,
                username=identity.username,
                password=identity.password.get_secret_value(),
                project_name=identity.project_name,
                user_domain_name=identity.user_domain_name,
                project_domain_name=identity.project_domain_name,
            ),
            timeout=settings.timeouts.keystone,
            user_agent="trio2o",
        )

    async def validate(self, token: str) -> Caller | None:
        """Ask who a token is; None when Keystone does not know it.

        Refused(503) when Keystone cannot be asked.
        """
        try:
            return await self._asked(lambda: self._validate(token))
        except KeystoneError as error:
            message = "The identity service could not be reached."
            raise unavailable(message) from error

    def _validate(self, token: str) -> Caller | None:
        try:
            answer = self._session.get(
                f"{self.auth_url}/auth/tokens",
                params={"nocatalog": ""},
                headers={"X-Subject-Token": token},
                authenticated=True,
            )
        except (keystone_errors.NotFound, keystone_errors.BadRequest):
            return None
        body: Mapping[str, Any] = answer.json()["token"]
        return Caller(
            user_id=body["user"]["id"],
            project_id=body.get("project", {}).get("id", ""),
            roles=frozenset(role["name"] for role in body.get("roles", ())),
            token=token,
            expires_at=datetime.fromisoformat(body["expires_at"]).timestamp(),
        )

    async def token(self) -> str:
        """Give a valid token of the gateway's own user; KeystoneError if there is none."""
        return str(await self._asked(self._session.get_token))

    async def users(self) -> list[str]:
        """List the ids of all users; KeystoneError where the gateway may not read them."""

        def ask() -> list[str]:
            answer = self._session.get(f"{self.auth_url}/users", authenticated=True)
            return [str(user["id"]) for user in answer.json()["users"]]

        return await self._asked(ask)

    async def endpoints(self, catalog_types: tuple[str, ...]) -> dict[str, str]:
        """Read a service's public URL in each region of the catalog; KeystoneError on failure.

        The first catalog type that a region has wins, since old clouds list volumev2 beside
        volumev3.
        """

        def ask() -> list[Mapping[str, Any]]:
            access = self._session.auth.get_access(self._session)  # type: ignore[union-attr]
            return list(access.service_catalog.catalog)

        catalog = await self._asked(ask)
        found: dict[str, str] = {}
        for catalog_type in catalog_types:
            for entry in catalog:
                if entry["type"] != catalog_type:
                    continue
                for endpoint in entry["endpoints"]:
                    if endpoint["interface"] == "public":
                        found.setdefault(endpoint["region_id"], endpoint["url"])
        return found

    async def refresh_catalog(self) -> None:
        """Forget the token, so that the next call reads a fresh catalog."""
        await asyncio.to_thread(self._session.invalidate)

    async def _asked(self, ask: Callable[[], Result]) -> Result:
        """Ask in a thread; KeystoneError when nothing comes of it."""
        try:
            return await asyncio.to_thread(ask)
        except keystone_errors.ClientException as error:
            raise KeystoneError(str(error)) from error
        except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            # What answers there is no Keystone, and its token is none; or no thread is left.
            self._session.invalidate()
            message = f"{type(error).__name__}: {error}"
            raise KeystoneError(message) from error
