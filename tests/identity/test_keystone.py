"""Keystone as the gateway's own user asks it, over HTTP."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from control_plane.identity.keystone import Keystone, KeystoneError
from control_plane.model.errors import Refused
from control_plane.settings import Settings


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives a token for every request, and says of it what a test says."""

    body = b""

    def do_POST(self) -> None:
        """Answer a request for a token."""
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(201)

    def do_GET(self) -> None:
        """Answer what is asked of a token."""
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("x-subject-token", "own")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def keystone() -> Iterator[Keystone]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v3"
        identity = {"auth_url": url, "username": "trio2o", "password": "hunter2"}
        yield Keystone(Settings.model_validate({"identity": identity}))
        server.shutdown()


@pytest.mark.parametrize("body", [b'{"token": {}}', b'{"token": []}', b'"token"', b"<html>"])
async def test_what_is_no_keystone_is_one_that_does_not_answer(
    keystone: Keystone, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(Answering, "body", body)

    async def ask_all() -> None:
        await keystone.token()
        # What was said of the first one tells whether it is still good.
        await keystone.token()

    with pytest.raises(KeystoneError):
        await ask_all()
    with pytest.raises(Refused) as refused:
        await keystone.validate("user's")

    assert refused.value.status == 503

    good = b'{"token": {"methods": [], "user": {"id": "u"}, "expires_at": "2199-01-01T00:00:00Z"}}'
    monkeypatch.setattr(Answering, "body", good)

    await ask_all()
    assert (await keystone.validate("user's")) is not None
