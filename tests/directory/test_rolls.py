"""What is remembered of pods' lists, for when the pods do not answer."""

import json
from dataclasses import replace
from typing import Any

from multidict import CIMultiDict

from control_plane.directory.rolls import AGAIN_SECONDS, FRESH_SECONDS, Rolls
from control_plane.model.errors import PodUnreachable
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.catalog import SERVICES
from tests.processor.envoy import POD1, VIEW

SERVICE = {"binary": "nova-compute", "host": "compute1", "id": 7, "state": "up"}
RECORD = {"binary": "nova-compute", "host": "compute1"}


class World:
    """A store, a clock, and pods of which the second does not answer."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kept: dict[tuple[str, str], object] = {}
        self.written = 0
        self.asked: list[tuple[str, str]] = []
        self.body: Any = {"services": [SERVICE]}
        self.status = 200

    async def facts(self, pod: str) -> dict[str, object]:
        return {key: value for (name, key), value in self.kept.items() if name == pod}

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        self.written += 1
        self.kept[pod, key] = value

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        self.asked.append((pod.name, request.path))
        if pod.name != POD1.name:
            raise PodUnreachable(pod.name, "gone")
        body = json.dumps(self.body).encode()
        return PodAnswer(pod, self.status, CIMultiDict(), body)

    async def token(self) -> str:
        return "own"

    def rolls(self) -> Rolls:
        return Rolls(self, self, self, SERVICES, lambda: self.now)


async def test_what_a_pod_listed_is_known_after_a_restart() -> None:
    world = World()

    await world.rolls().look(VIEW)

    assert await world.rolls().of("Pod1", "nova_service") == [RECORD]
    assert await world.rolls().of("Pod2", "nova_service") == []


async def test_a_list_that_is_fresh_is_not_asked_for_and_one_that_is_the_same_not_written() -> None:
    world = World()
    rolls = world.rolls()
    for world.now in (0.0, FRESH_SECONDS - 1, FRESH_SECONDS, 2 * FRESH_SECONDS):
        await rolls.look(VIEW)

    assert [pod for pod, _ in world.asked].count("Pod1") == 3
    assert world.written == 1


async def test_a_pod_that_was_taken_out_and_came_back_is_known_again() -> None:
    world = World()
    rolls = world.rolls()
    await rolls.look(VIEW)
    # The store forgets what a pod said when it is taken out.
    world.kept.clear()
    again = tuple(replace(pod, id=f"again-{pod.id}") for pod in VIEW.fleet)

    await rolls.look(replace(VIEW, fleet=Fleet.of(again)))

    assert await rolls.of("Pod1", "nova_service") == [RECORD]


async def test_a_refusal_or_nonsense_takes_nothing_away_and_is_asked_again_soon() -> None:
    world = World()
    rolls = world.rolls()
    await rolls.look(VIEW)
    for world.status, world.body in ((403, {}), (200, {"services": [{"host": "x"}]}), (200, [])):
        world.now += FRESH_SECONDS
        await rolls.look(VIEW)
    asked = len(world.asked)
    world.now += AGAIN_SECONDS
    await rolls.look(VIEW)

    assert await rolls.of("Pod1", "nova_service") == [RECORD]
    assert len(world.asked) == asked + 2
