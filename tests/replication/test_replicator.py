"""The loop that keeps pods alike."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

from control_plane.pods.view import View
from control_plane.replication.arrival import FACT
from control_plane.replication.replicator import Replicator
from tests.replication.world import World

FLAVOR = {"flavor": {"id": "f", "name": "tiny", "ram": 1, "disk": 0, "vcpus": 1}}


class Registry:
    """The pods as they are; a refresh reads which are ready."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.open = True
        self.behind: set[tuple[str, str]] = set()
        self.view = world.view

    async def refresh(self) -> None:
        facts = {
            name: replace(known, ready=FACT in self.world.facts.rows.get(name, {}))
            for name, known in self.view.facts.items()
        }
        self.view = View(self.view.fleet, MappingProxyType(facts))

    async def fall_behind(self, behind: Iterable[tuple[str, str]]) -> None:
        self.behind = set(behind)


def _replicator(world: World) -> tuple[Replicator, Registry]:
    registry = Registry(world)
    made = Replicator(
        world.copies, world.pending, world.arrival, world.intents, registry, lambda: world.now
    )
    return made, registry


async def test_a_pod_is_behind_until_it_was_told_everything() -> None:
    world = World()
    world.pods["Pod2"].away = True
    replicator, registry = _replicator(world)
    await world.write("compute", "POST", "/flavors", FLAVOR)

    await replicator.step()
    before = registry.behind
    world.pods["Pod2"].away = False
    for number, intent in world.intents.rows.items():
        world.intents.rows[number] = replace(intent, due_at=world.intents.now)
    await replicator.step()

    assert before == {("Pod2", "compute")}
    assert registry.behind == set()
    assert world.everything("flavors") == [["tiny"]] * 3


async def test_a_refused_write_does_not_keep_a_pod_behind() -> None:
    world = World()
    world.pods["Pod2"].away = True
    replicator, registry = _replicator(world)
    await world.write("compute", "POST", "/flavors", FLAVOR)
    world.pods["Pod2"].away = False
    world.pods["Pod2"].refuses["POST", "/flavors"] = 400

    await replicator.step()

    assert registry.behind == set()
    assert len(world.intents.rows) == 1


async def test_new_pods_become_ready_one_after_the_other() -> None:
    world = World()
    world.pods["Pod1"].all("flavors")["f"] = {"id": "f", "name": "tiny"}
    replicator, registry = _replicator(world)
    await registry.refresh()
    before = registry.view.arriving

    await replicator.step()

    assert before == {"Pod1", "Pod2", "Pod3"}
    assert registry.view.arriving == frozenset()
    assert world.everything("flavors") == [["tiny"]] * 3


async def test_nothing_to_do_asks_no_pod() -> None:
    world = World()
    replicator, _ = _replicator(world)

    await replicator.step()

    assert [pod.writes for pod in world.pods.pods.values()] == [[], [], []]


async def test_a_pod_that_cannot_be_made_ready_is_tried_less_and_less_often() -> None:
    world = World()
    world.pods["Pod1"].all("flavors")["f"] = {"id": "f", "name": "tiny"}
    world.pods["Pod2"].refuses["GET", "/flavors"] = 500
    world.facts.rows = {"Pod1": {FACT: {}}, "Pod3": {FACT: {}}}
    replicator, registry = _replicator(world)
    await registry.refresh()
    tries = []
    welcome = world.arrival.welcome

    async def counted(
        view: View, *, reachable: Callable[[str], bool], tell: Callable[[], Awaitable[None]]
    ) -> bool:
        tries.append(world.now)
        return await welcome(view, reachable=reachable, tell=tell)

    world.arrival.welcome = counted  # type: ignore[method-assign]

    for second in range(60):
        world.now = float(second)
        await replicator.step()
    failed = len(tries)
    world.pods["Pod2"].refuses.clear()
    world.now = 100.0
    await replicator.step()

    assert 5 < failed < 15
    assert registry.view.arriving == frozenset()
