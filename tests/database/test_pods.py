"""Pods in the database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from control_plane.database import Store
from control_plane.model.errors import Conflict, InUse, Missing
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod, PodState


async def test_a_pod_is_read_as_it_was_written(store: Store) -> None:
    pod = Pod(
        id="",
        name="Pod1",
        availability_zone="az1",
        pod_availability_zone="nova",
        data_center="dc1",
        state=PodState.CORDONED,
        weight=7,
        labels={"gpu": "true"},
        endpoints={"compute": "http://10.0.0.1:8774/v2.1"},
    )

    created = await store.create_pod(pod)
    fleet = await store.fleet()

    assert fleet.pods == (created,)
    assert created.id
    assert created.labels == {"gpu": "true"}
    assert created.state is PodState.CORDONED
    assert created.created_at is not None
    assert created.created_at.tzinfo is UTC
    assert created.updated_at is None


async def test_the_fleet_is_in_the_order_of_names(store: Store) -> None:
    for name in ("b", "a", "C"):
        await store.create_pod(Pod(id="", name=name, availability_zone="az1"))

    fleet = await store.fleet()

    assert [pod.name for pod in fleet] == ["C", "a", "b"]


async def test_a_second_pod_of_a_name_conflicts(store: Store) -> None:
    await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))

    with pytest.raises(Conflict, match="Pod1"):
        await store.create_pod(Pod(id="", name="Pod1", availability_zone="az2"))


async def test_names_that_differ_by_case_are_two_pods(store: Store) -> None:
    await store.create_pod(Pod(id="", name="pod", availability_zone="az1"))
    await store.create_pod(Pod(id="", name="POD", availability_zone="az1"))

    assert len((await store.fleet()).pods) == 2


async def test_a_replaced_pod_keeps_its_id_and_its_time(store: Store) -> None:
    before = await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))

    after = await store.replace_pod(
        Pod(id="other", name="Pod1", availability_zone="az2", created_at=datetime.now(UTC))
    )

    assert after.id == before.id
    assert after.created_at == before.created_at
    assert after.availability_zone == "az2"
    assert after.updated_at is not None
    assert (await store.fleet()).pods == (after,)


async def test_a_pod_that_is_not_there_cannot_be_replaced_or_deleted(store: Store) -> None:
    with pytest.raises(Missing):
        await store.replace_pod(Pod(id="", name="Pod1", availability_zone="az1"))
    with pytest.raises(Missing):
        await store.delete_pod("Pod1")


async def test_a_pod_that_owns_resources_is_deleted_only_by_force(store: Store) -> None:
    await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))
    await store.record([Owner("1", "server", "Pod1"), Owner("2", "server", "Pod1")])

    with pytest.raises(InUse) as caught:
        await store.delete_pod("Pod1")
    await store.delete_pod("Pod1", force=True)

    assert caught.value.resources == 2
    assert (await store.fleet()).pods == ()
    assert await store.owner("1") is not None


async def test_a_deleted_resource_does_not_hold_its_pod(store: Store) -> None:
    await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))
    await store.record([Owner("1", "server", "Pod1")])

    await store.mark_deleted("1")

    assert await store.count_owned("Pod1") == 0
    await store.delete_pod("Pod1")


async def test_a_deleted_pod_takes_its_bindings_and_facts_along(store: Store) -> None:
    pod = await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))
    await store.bind("project", "az1", pod.id)
    await store.put_fact("Pod1", "versions", {})

    await store.delete_pod("Pod1")

    assert await store.bindings() == []
    assert await store.facts("Pod1") == {}


async def test_each_pod_gets_a_number_once(store: Store, replica: Store) -> None:
    numbers = {}
    for name in ("c", "a", "b"):
        numbers[name] = (
            await store.create_pod(Pod(id="", name=name, availability_zone="1"))
        ).number

    changed = await replica.replace_pod(Pod(id="", name="a", availability_zone="2", number=77))
    await store.delete_pod("c")
    later = await replica.create_pod(Pod(id="", name="d", availability_zone="1"))

    assert numbers == {"c": 1, "a": 2, "b": 3}
    assert changed.number == 2
    assert later.number == 4


async def test_a_gap_is_filled_only_when_the_numbers_are_used_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control_plane.database.pods.HIGHEST_NUMBER", 2)
    for name in ("a", "b"):
        await store.create_pod(Pod(id="", name=name, availability_zone="1"))
    with pytest.raises(Conflict, match="2 pods already"):
        await store.create_pod(Pod(id="", name="c", availability_zone="1"))

    await store.delete_pod("a")

    assert (await store.create_pod(Pod(id="", name="c", availability_zone="1"))).number == 1


async def test_pods_made_by_several_replicas_at_once_differ_in_number(
    store: Store, replica: Store
) -> None:
    made = await asyncio.gather(
        *(
            (store, replica)[n % 2].create_pod(Pod(id="", name=f"p{n}", availability_zone="1"))
            for n in range(6)
        )
    )

    assert sorted(pod.number for pod in made) == [1, 2, 3, 4, 5, 6]


async def test_the_fleet_is_the_same_until_a_pod_changes(store: Store) -> None:
    for name in ("Pod1", "Pod2", "Pod3"):
        await store.create_pod(Pod(id="", name=name, availability_zone="az", labels={"a": name}))
    first = await store.fleet()

    again = await store.fleet()
    changed = await store.replace_pod(replace(first.pods[1], weight=7))
    await store.delete_pod("Pod3")
    last = await store.fleet()

    assert again is first
    assert last.pods == (first.pods[0], changed)
    assert last.pods[0] is first.pods[0]
