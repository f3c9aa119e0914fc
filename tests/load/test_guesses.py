"""Ids that nobody has cost the pods little, and nobody's memory."""

import asyncio
from pathlib import Path

import pytest

from tests.load.guesses import Guesses
from tests.load.pods import StandIn
from tests.load.product import product, wait_for_creates
from tests.load.traffic import Traffic

pytestmark = pytest.mark.envoy

RECORDED = 500


def test_ids_that_nobody_has_reach_pods_only_as_often_as_a_project_may_ask(tmp_path: Path) -> None:
    pods = [StandIn(tmp_path, number) for number in range(3)]
    with product(tmp_path, pods, RECORDED) as (gateway, fleet):
        wait_for_creates(gateway, fleet)
        others = Traffic(fleet, RECORDED, RECORDED + 1)
        first, guesses = Guesses(), Guesses()
        # What the first requests make every process load is not what guesses cost.
        asyncio.run(first.run(gateway.place.port, 2_000, 16))
        before = {process.name: process.memory for process in gateway.processes}
        probes = sum(pod.total("probes") for pod in pods)

        async def run() -> None:
            await asyncio.gather(
                guesses.run(gateway.place.port, 18_000, 16), others.run(gateway.place.port, 500, 2)
            )

        asyncio.run(run())
        after = {process.name: process.memory for process in gateway.processes}
        asked = sum(pod.total("probes") for pod in pods) - probes

    assert guesses.unexpected == []
    assert guesses.answers[429] > 0
    assert others.findings.unexpected == []
    # Each pod once, and one again for its words to the client.
    assert asked <= (len(pods) + 1) * guesses.allowed(2)
    assert {name for name, found in after.items() if found - before[name] > 12} == set()
