"""No token in any log, whatever goes wrong."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.observability.logs import configure
from control_plane.pods.client import PodRequest
from tests.processor.envoy import POD1, Envoy

SECRET = "gAAAAAB-this-is-a-token"


@pytest.fixture(params=["json", "console"], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Logs configured in each form, and put back afterwards."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    configure("debug", request.param)
    yield
    structlog.configure(**before)
    logging.root.handlers[:] = handlers


def test_secret_fields_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info(
        "event", token=SECRET, headers={"X-Auth-Token": SECRET, "accept": "*/*"}, password=SECRET
    )

    written = capsys.readouterr().err
    assert SECRET not in written
    assert "*/*" in written


async def test_a_request_that_fails_in_the_gateway_logs_the_error_without_the_token(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def script(_: object, request: PodRequest) -> tuple[int, object]:
        message = "a defect"
        raise RuntimeError(message)

    envoy = Envoy(script)
    envoy.keystone.tokens[SECRET] = {"member"}
    said = await envoy.exchange("GET", "/compute/v2.1/servers/abc", token=SECRET)

    written = capsys.readouterr().err
    assert said.status == 500
    assert "a defect" in written
    assert SECRET not in written
    assert POD1.name not in json.dumps(said.json)


def test_what_packages_log_has_the_same_form(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    form = request.node.callspec.params["form"]
    # The handler keeps the stream, which capsys has put in another's place.
    configure("info", form)
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("asyncio").exception("a task\nfailed")

    written = capsys.readouterr().err
    assert "a task" in written
    if form == "json":
        (line,) = written.splitlines()
        assert {"event", "level", "timestamp", "logger", "exception"} == set(json.loads(line))


async def test_a_header_too_long_to_be_read_is_not_quoted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with TestServer(web.Application()) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(f"GET / HTTP/1.1\r\nX-Auth-Token: {SECRET * 1000}\r\n\r\n".encode())
        answer = await reader.readline()
        writer.close()

    assert b" 400 " in answer
    assert SECRET not in capsys.readouterr().err
