"""Reads of what nothing tells the pod of."""

from typing import Any

import pytest

from tests.handlers.two_pods import saying
from tests.processor.envoy import Said

NOT_FOUND = (404, {"itemNotFound": {"code": 404, "message": "Token not found"}})
CONSOLE = {"console": {"instance_uuid": "x", "host": "h", "port": 1}}


async def ask(one: Any, two: Any) -> Said:
    return await saying(one, two).exchange(
        "GET",
        "/compute/v2.1/os-console-auth-tokens/t",
        token="admin",
        openstack_api_version="compute 2.31",
    )


@pytest.mark.parametrize("other", [NOT_FOUND, (500, {}), None])
async def test_the_pod_that_has_it_answers(other: Any) -> None:
    said = await ask(other, CONSOLE)

    assert (said.status, said.json) == (200, CONSOLE)


async def test_what_no_pod_has_is_404_in_a_pods_words() -> None:
    said = await ask(NOT_FOUND, NOT_FOUND)

    assert (said.status, said.json) == NOT_FOUND


async def test_a_no_that_is_no_404_goes_before_one() -> None:
    said = await ask(NOT_FOUND, (403, {"forbidden": {"code": 403, "message": "no"}}))

    assert said.status == 403


async def test_it_is_not_said_to_be_absent_while_a_pod_is_silent() -> None:
    said = await ask(NOT_FOUND, None)

    assert said.status == 503
