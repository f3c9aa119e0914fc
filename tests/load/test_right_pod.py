"""Every answer comes from the pod that has the id, whatever happens to pods and workers."""

import asyncio
from pathlib import Path

import pytest

from tests.load.changes import Changes
from tests.load.pods import StandIn
from tests.load.product import product, wait_for_creates
from tests.load.traffic import Traffic

pytestmark = pytest.mark.envoy

RECORDED, KNOWN = 2_000, 2_500


def test_every_answer_is_from_the_right_pod_while_pods_change(tmp_path: Path) -> None:
    pods = [StandIn(tmp_path, number) for number in range(5)]
    spare = pods.pop()
    with product(tmp_path, pods, RECORDED, owner_cache={"entries": 500}) as (gateway, fleet):
        wait_for_creates(gateway, fleet)
        changes = Changes(gateway, fleet, RECORDED)
        traffic = Traffic(fleet, RECORDED, KNOWN, worker_dies=changes.worker_dies)

        async def run() -> None:
            async def change() -> None:
                for happen in changes.all(spare):
                    await asyncio.to_thread(happen)

            under_way = asyncio.create_task(change())
            while not under_way.done():
                await traffic.run(gateway.place.port, 500, 16)
            await under_way

        asyncio.run(run())
        strays = sum(pod.total("strays") for pod in fleet.pods.values())

    assert traffic.findings.unexpected == []
    assert strays == 0
    assert len(changes.done) == 6
