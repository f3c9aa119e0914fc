"""What operators make in a pod behind the gateway's back goes to the pods that arrive later."""

from dataclasses import replace

import pytest

from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.replication.arrival import FACT, OWN
from control_plane.replication.rounds import AT_ONCE
from tests.replication.world import World

PODS = [Pod(f"id{n}", f"Pod{n}", "az", number=n) for n in range(1, 8)]
NEW = PODS[-1]


def _make(world: World, pod: str, name: str, collection: str = "flavors") -> None:
    world.pods[pod].all(collection)[name] = {"id": name, "name": name, "is_public": True}


@pytest.fixture
def world() -> World:
    """All pods but the last are ready, and in the third an operator has made a flavor."""
    world = World("compute", pods=PODS)
    world.facts.rows = {pod.name: {FACT: {}} for pod in PODS[:-1]}
    for pod in PODS[:-1]:
        _make(world, pod.name, "f")
    _make(world, "Pod3", "mine")
    world.view = replace(
        world.view,
        facts={
            name: replace(facts, ready=name != NEW.name) for name, facts in world.view.facts.items()
        },
    )
    return world


async def _arrive(world: World) -> list[str]:
    await world.arrival.welcome(world.view, reachable=lambda _: True)
    return sorted(world.pods[NEW.name].all("flavors"))


async def _round(world: World) -> None:
    for _ in range(len(PODS) // AT_ONCE + 1):
        await world.rounds.look(world.view)


def _own(world: World) -> dict[str, object]:
    return {name: row[OWN] for name, row in world.facts.rows.items() if OWN in row}


async def test_what_was_made_in_a_pod_goes_to_those_that_arrive_after_a_round(
    world: World,
) -> None:
    await _round(world)

    assert await _arrive(world) == ["f", "mine"]
    assert _own(world) == {"Pod3": ["compute"]}
    assert "mine" not in world.pods["Pod4"].all("flavors")


async def test_of_pods_that_have_the_same_one_is_asked(world: World) -> None:
    for name in ("Pod2", "Pod4", "Pod5"):
        _make(world, name, "mine")

    await _round(world)

    assert _own(world) == {"Pod2": ["compute"]}
    assert await _arrive(world) == ["f", "mine"]


async def test_a_pod_is_not_asked_any_more_when_it_has_nothing_of_its_own(world: World) -> None:
    await _round(world)
    del world.pods["Pod3"].all("flavors")["mine"]

    await _round(world)

    assert _own(world) == {"Pod3": []}
    assert await _arrive(world) == ["f"]


async def test_a_look_asks_few_pods_and_these_once(world: World) -> None:
    await world.rounds.look(world.view)

    asked = {name: pod.reads for name, pod in world.pods.pods.items() if pod.reads}
    # The first and the last are those that the others are compared with.
    assert sorted(asked) == ["Pod1", "Pod2", "Pod3", "Pod4", "Pod6"]
    assert all(reads == ["/flavors"] for reads in asked.values())


async def test_what_a_pod_is_still_to_be_told_is_not_its_own(world: World) -> None:
    delete = Intent("Pod3", "compute/flavor/mine", "compute", "DELETE", "/flavors/mine")
    await world.intents.add_intents([delete])

    await _round(world)

    assert _own(world) == {}


async def test_a_pod_that_does_not_answer_keeps_what_was_found(world: World) -> None:
    await _round(world)
    world.pods["Pod3"].away = True

    await _round(world)

    assert _own(world) == {"Pod3": ["compute"]}
