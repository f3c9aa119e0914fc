"""No token in any log, whatever goes wrong."""

import json
from collections.abc import Iterator

import pytest
import structlog

from control_plane.observability.logs import configure
from control_plane.pods.client import PodRequest
from tests.processor.envoy import POD1, Envoy

SECRET = "gAAAAAB-this-is-a-token"


@pytest.fixture(params=["json", "console"], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Logs configured in each form, and put back afterwards."""
    before = structlog.get_config()
    configure("debug", request.param)
    yield
    structlog.configure(**before)


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
