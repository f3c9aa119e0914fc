"""A small client of the bed's APIs: plain HTTP with a token from Keystone.

The bed seeds its pods with it; the demo and the integration tests look into a pod with it, past
the gateway, so that what they prove does not rest on the code they test.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.openstack.progress import BedError
from tests.openstack.settings import PASSWORD


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `headers` are found in any case of letters."""

    status: int
    headers: Message
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; an empty mapping where there is none."""
        return json.loads(self.content) if self.content else {}

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(errors="replace")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Hands redirects to the caller: 300 and 302 are answers to be looked at."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


# No proxy of the environment: all of this is on the loopback interface.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())


def send(
    method: str,
    url: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 90,
) -> Answer:
    """Make one request, JSON unless `body` is bytes; errors of HTTP are answers too."""
    given = {"Accept": "application/json", **(headers or {})}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if data is not None:
        given.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, headers=given, method=method)
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


class Client:
    """One user in one project, with a token that is fetched when first needed."""

    def __init__(self, keystone: str, user: str = "admin", project: str = "admin") -> None:
        """Keep who asks; nothing is sent yet."""
        self.keystone = keystone
        self.user = user
        self.project = project
        self._token = ""
        self._project_id = ""

    @property
    def token(self) -> str:
        """A token of the user in the project."""
        if not self._token:
            self._login()
        return self._token

    @property
    def project_id(self) -> str:
        """The project's id."""
        if not self._project_id:
            self._login()
        return self._project_id

    def call(
        self,
        method: str,
        url: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request with the token."""
        sent = {"X-Auth-Token": self.token, **(headers or {})}
        return send(method, url, body=body, headers=sent)

    def ask(self, method: str, url: str, body: object = None, **headers: str) -> Any:
        """Make a request that must succeed and give its JSON; BedError otherwise."""
        named = {key.replace("_", "-"): text for key, text in headers.items()}
        answer = self.call(method, url, body, named)
        if answer.status >= 300:
            message = f"{method} {url}: {answer.status} {answer.text[:300]}"
            raise BedError(message)
        return answer.json if answer.content else {}

    def _login(self) -> None:
        domain = {"id": "default"}
        user = {"name": self.user, "password": PASSWORD, "domain": domain}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": self.project, "domain": domain}},
            }
        }
        answer = send("POST", f"{self.keystone}/auth/tokens", body=body)
        if answer.status != 201:
            message = f"no token for {self.user} in {self.project}: {answer.status} {answer.text}"
            raise BedError(message)
        self._token = answer.headers["X-Subject-Token"]
        self._project_id = answer.json["token"]["project"]["id"]
