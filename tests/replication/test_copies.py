"""Ids of copies: in memory, in the store, in the pods."""

import asyncio

import pytest

from control_plane.database.copies import Change
from control_plane.model.copy import Copy
from control_plane.replication.copies import Copies, Unresolved
from control_plane.services.cinder import VOLUME
from tests.replication.memory import Listings, MemoryCopies
from tests.replication.pods import POD1, POD2

TYPE, QOS, VOLUME_ITEM = (VOLUME.resources[name] for name in ("volume_type", "qos_spec", "volume"))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def listings() -> Listings:
    return Listings(Pod1={"a": "gold"}, Pod2={"b": "gold"})


async def test_an_unknown_id_is_looked_for_in_the_pods_once(listings: Listings) -> None:
    clock = Clock()
    copies = Copies(MemoryCopies(), listings, clock)

    for _ in range(3):
        await copies.resolve("volume_type", "nobody")
    clock.now = 10.0
    await copies.resolve("volume_type", "nobody")
    await copies.resolve("volume_type", "a")

    assert listings.asked == 2
    assert copies.pod_id("volume_type", "a", "Pod2") == "b"


async def test_what_another_replica_learnt_is_read_from_the_store(listings: Listings) -> None:
    store = MemoryCopies()
    one, other = Copies(store, listings), Copies(store, Listings())

    user_id = await one.record("volume_type", "tin", {"Pod2": "x", "Pod1": "y"})
    await other.resolve("volume_type", "x")

    assert user_id == "x"
    assert other.pod_id("volume_type", "x", "Pod1") == "y"


async def test_ids_in_an_answer_are_learnt(listings: Listings) -> None:
    copies = Copies(MemoryCopies(), listings)
    body = b'{"volumes": [{"id": "v", "metadata": {}, "volume_type_id": "b"}]}'

    await copies.learn(VOLUME_ITEM, POD2, body)
    await copies.learn(VOLUME_ITEM, POD2, body)

    assert listings.asked == 1
    assert copies.user_id("volume_type", "Pod2", "b") == "a"


async def test_an_answer_without_ids_asks_nobody(listings: Listings) -> None:
    copies = Copies(MemoryCopies(), listings)

    await copies.learn(VOLUME_ITEM, POD1, b'{"volume": {"id": "v", "volume_type_id": null}}')

    assert listings.asked == 0


async def test_a_name_is_the_same_everywhere_and_an_id_is_not(listings: Listings) -> None:
    copies = Copies(MemoryCopies(), Listings(Pod1={"a": "gold"}, Pod2={}))
    await copies.refresh("volume_type")

    assert copies.pod_id("volume_type", "gold", "Pod2") == "gold"
    with pytest.raises(Unresolved):
        copies.pod_id("volume_type", "a", "Pod2")


async def test_the_pods_that_have_a_thing_are_found_by_id_and_by_name(listings: Listings) -> None:
    copies = Copies(MemoryCopies(), listings)
    await copies.refresh("volume_type")

    assert copies.holders("volume_type", "a") == {"Pod1", "Pod2"}
    assert copies.holders("volume_type", "gold") == {"Pod1", "Pod2"}
    assert copies.holders("volume_type", "tin") == frozenset()
    assert copies.find("volume_type", "gold", "Pod2") == "b"


async def test_what_is_forgotten_in_every_pod_is_nobodys_id(listings: Listings) -> None:
    store = MemoryCopies()
    copies = Copies(store, listings)
    await copies.refresh("volume_type")

    await copies.forget("volume_type", "a", ["Pod1"])
    half = copies.known("volume_type", "a")
    await copies.forget("volume_type", "a", ["Pod2"])

    assert half
    assert not copies.known("volume_type", "a")
    assert store.rows == []


async def test_a_copy_that_was_made_again_keeps_its_id_for_users(listings: Listings) -> None:
    store = MemoryCopies()
    copies = Copies(store, listings)
    await copies.refresh("volume_type")

    await copies.replace("volume_type", "Pod1", "a", "new")

    assert copies.pod_id("volume_type", "a", "Pod1") == "new"
    assert Copy("volume_type", "Pod1", "new", "a", "gold") in store.rows


async def test_resources_do_not_mix(listings: Listings) -> None:
    copies = Copies(MemoryCopies(), listings)
    await copies.record("qos_spec", "fast", {"Pod1": "q"})
    await copies.refresh("volume_type")

    assert copies.user_id("qos_spec", "Pod1", "q") == "q"
    assert not copies.known("volume_type", "q")


async def test_other_processes_are_told_of_what_changed_and_of_nothing_else(
    listings: Listings,
) -> None:
    store, told = MemoryCopies(), list[str]()
    other = Copies(store, Listings())

    async def tell(resource: str) -> None:
        await other.reload(resource)
        told.append(resource)

    copies = Copies(store, listings, tell=tell)
    await copies.refresh("volume_type")
    await copies.refresh("volume_type")
    before = other.pod_id("volume_type", "a", "Pod2")
    await copies.forget("volume_type", "a", ["Pod1", "Pod2"])

    assert told == ["volume_type", "volume_type"]
    assert before == "b"
    assert not other.known("volume_type", "a")


async def test_what_was_missed_is_looked_for_again_when_another_process_made_it() -> None:
    store = MemoryCopies()
    copies, other = Copies(store, Listings()), Copies(store, Listings())
    await other.resolve("volume_type", "x")

    await copies.record("volume_type", "tin", {"Pod2": "x", "Pod1": "y"})
    await other.reload("volume_type")

    assert other.pod_id("volume_type", "x", "Pod1") == "y"


async def test_copies_that_are_made_at_once_are_written_together() -> None:
    store = MemoryCopies()
    changes = []
    change = store.change_copies

    async def counted(resource: str, work: Change) -> list[Copy]:
        changes.append(resource)
        await asyncio.sleep(0)
        return await change(resource, work)

    store.change_copies = counted  # type: ignore[method-assign]
    copies = Copies(store, Listings())

    await asyncio.gather(
        *(copies.adopt("volume_type", "u", f"Pod{number}", f"p{number}") for number in range(50))
    )

    assert len(changes) == 2
    assert [copies.pod_id("volume_type", "u", f"Pod{n}") for n in (0, 49)] == ["p0", "p49"]


async def test_a_copy_whose_companions_could_not_be_written_is_written_itself() -> None:
    store = MemoryCopies()
    change = store.change_copies
    faults = [OSError()]

    async def fails_once(resource: str, work: Change) -> list[Copy]:
        await asyncio.sleep(0)
        if faults:
            raise faults.pop()
        return await change(resource, work)

    store.change_copies = fails_once  # type: ignore[method-assign]
    copies = Copies(store, Listings())

    ended = await asyncio.gather(
        *(copies.adopt("volume_type", "u", pod, pod) for pod in ("Pod1", "Pod2")),
        return_exceptions=True,
    )

    assert [type(error) for error in ended] == [OSError, type(None)]
    assert {row.pod for row in store.rows} >= {"Pod2"}
