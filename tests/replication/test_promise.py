"""A write that is begun is ended, whoever dies on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from control_plane.model.errors import Refused
from control_plane.replication import promise
from tests.replication.pods import Killed
from tests.replication.world import World

FLAVOR = {"flavor": {"id": "f", "name": "tiny", "ram": 1, "disk": 0, "vcpus": 1}}
KIND = {"volume_type": {"name": "gold"}}


@pytest.fixture
def world() -> World:
    return World()


async def _die(world: World, service: str, path: str, body: object, method: str = "POST") -> None:
    """Begin a write and die in the middle; afterwards every pod is well. A drain ends leases."""
    with pytest.raises(Killed):
        await world.write(service, method, path, body)
    for pod in world.pods.pods.values():
        pod.kills = ""


@pytest.mark.parametrize("victim", ["Pod1", "Pod2", "Pod3"])
@pytest.mark.parametrize("kills", ["before", "after"])
@pytest.mark.parametrize(
    ("service", "path", "body", "collection"),
    [
        ("compute", "/flavors", FLAVOR, "flavors"),
        ("volume", "/types", KIND, "types"),
        ("compute", "/os-keypairs", {"keypair": {"name": "k"}}, "os-keypairs"),
    ],
)
async def test_what_a_dead_process_began_is_in_every_pod_once(
    world: World, victim: str, kills: str, service: str, path: str, body: object, collection: str
) -> None:
    world.pods[victim].kills = kills

    await _die(world, service, path, body)
    for _ in range(3):
        await world.drain()

    things = [pod.all(collection) for pod in world.pods.pods.values()]
    assert [len(held) for held in things] == [1, 1, 1]
    keys = {item.get("public_key") for held in things for item in held.values()}
    assert len(keys) == 1
    assert world.intents.rows == {}
    assert len({row.user_id for row in world.store.rows}) <= 1


async def test_a_change_is_ended_too(world: World) -> None:
    await world.write("compute", "POST", "/flavors", FLAVOR)
    world.pods["Pod2"].kills = "before"

    await _die(world, "compute", "/flavors/f/os-extra_specs", {"extra_specs": {"a": "b"}})
    await world.drain()
    world.pods["Pod1"].kills = "after"
    await _die(world, "compute", "/flavors/f", None, "DELETE")
    gone = len(world.pods["Pod1"].all("flavors"))
    for _ in range(2):
        await world.drain()

    assert gone == 0
    assert world.everything("flavors") == [[], [], []]
    assert world.intents.rows == {}


async def test_what_no_pod_is_known_to_have_agreed_to_may_still_be_refused(world: World) -> None:
    world.pods["Pod1"].kills = "before"

    await _die(world, "compute", "/flavors", FLAVOR)
    world.pods["Pod1"].refuses["POST", "/flavors"] = 403
    await world.drain()

    assert world.everything("flavors") == [[], [], []]
    assert world.intents.rows == {}


async def test_if_the_first_pod_is_silent_by_then_another_one_decides(world: World) -> None:
    world.pods["Pod1"].kills = "before"

    await _die(world, "compute", "/flavors", FLAVOR)
    world.pods["Pod1"].away = True
    await world.drain()
    without = world.everything("flavors")
    world.pods["Pod1"].away = False
    await world.drain()

    assert without == [[], ["tiny"], ["tiny"]]
    assert world.everything("flavors") == [["tiny"]] * 3
    assert world.intents.rows == {}


async def test_a_pod_without_the_thing_is_left_alone_after_a_death(world: World) -> None:
    world.pods["Pod2"].all("flavors")["own"] = {"id": "own", "name": "own"}
    world.pods["Pod2"].kills = "before"

    await _die(world, "compute", "/flavors/own/os-extra_specs", {"extra_specs": {"a": "b"}})
    for _ in range(2):
        await world.drain()

    assert world.pods["Pod2"].all("flavors")["own"]["extra_specs"] == {"a": "b"}
    assert world.everything("flavors") == [[], ["own"], []]
    assert world.intents.rows == {}


async def test_while_its_process_lives_nobody_else_is_at_it(world: World) -> None:
    world.pods["Pod2"].kills = "before"
    with pytest.raises(Killed):
        await world.write("compute", "POST", "/flavors", FLAVOR)
    world.pods["Pod2"].kills = ""
    rows = world.intents.rows
    for number, row in rows.items():
        rows[number] = replace(row, due_at=world.intents.now + timedelta(seconds=60))

    await world.pending.drain(world.view.fleet.serving)

    assert world.everything("flavors")[1] == []
    assert await world.intents.waiting() == set()


async def test_writes_of_one_subject_do_not_overtake_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "PATIENCE_SECONDS", 0.2)
    world.pods["Pod2"].kills = "before"
    with pytest.raises(Killed):
        await world.write("compute", "POST", "/flavors", FLAVOR)
    world.pods["Pod2"].kills = ""

    with pytest.raises(Refused) as caught:
        await world.write("compute", "POST", "/flavors", FLAVOR)
    other = {"flavor": {**FLAVOR["flavor"], "id": "g", "name": "huge"}}
    done = await world.write("compute", "POST", "/flavors", other)

    assert caught.value.status == 503
    assert done.answer.status == 200


async def test_a_write_that_lasts_keeps_its_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "RENEW_SECONDS", 0.0)
    renewed: list[str] = []

    async def renew(write_id: str, seconds: float) -> None:
        renewed.append(write_id)

    monkeypatch.setattr(world.intents, "renew", renew)

    await world.write("compute", "POST", "/flavors", FLAVOR)

    assert len(set(renewed)) == 1
