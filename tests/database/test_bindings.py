"""Bindings in the database, under races too."""

import asyncio

import pytest

from control_plane.database import Store
from control_plane.model.errors import Conflict, Missing
from control_plane.model.pod import Pod


@pytest.fixture
async def pods(store: Store) -> list[str]:
    """Give the ids of twenty pods."""
    return [
        (await store.create_pod(Pod(id="", name=f"Pod{n}", availability_zone="az1"))).id
        for n in range(20)
    ]


async def test_bind_returns_what_is_there(store: Store, pods: list[str]) -> None:
    first = await store.bind("project", "az1", pods[0])
    second = await store.bind("project", "az1", pods[1])

    assert second == first
    assert first.pod_id == pods[0]
    assert await store.bindings() == [first]
    assert await store.binding(first.id) == first


async def test_a_project_has_one_binding_a_zone(store: Store, pods: list[str]) -> None:
    in_one = await store.bind("project", "az1", pods[0])
    in_two = await store.bind("project", "az2", pods[1])
    of_other = await store.bind("other", "az1", pods[1])

    assert {entry.id for entry in await store.bindings("project")} == {in_one.id, in_two.id}
    assert {entry.id for entry in await store.bindings(pod_id=pods[1])} == {in_two.id, of_other.id}
    assert await store.bindings("project", pods[1]) == [in_two]


async def test_twenty_binds_at_once_give_one_binding(
    store: Store, replica: Store, pods: list[str]
) -> None:
    results = await asyncio.gather(
        *((store, replica)[n % 2].bind("project", "az1", pods[n]) for n in range(20))
    )

    assert len(set(results)) == 1
    assert await store.bindings("project") == [results[0]]


async def test_binds_of_many_projects_at_once_do_not_disturb_each_other(
    store: Store, replica: Store, pods: list[str]
) -> None:
    results = await asyncio.gather(
        *((store, replica)[n % 2].bind(f"project{n // 4}", "az1", pods[n % 20]) for n in range(80))
    )

    assert len({entry.id for entry in results}) == 20
    assert len(await store.bindings()) == 20


async def test_rebind_moves_a_binding(store: Store, pods: list[str]) -> None:
    before = await store.bind("project", "az1", pods[0])

    after = await store.rebind(before, pods[1])

    assert (after.id, after.pod_id) == (before.id, pods[1])
    assert after.updated_at is not None


async def test_rebind_yields_to_one_that_was_faster(store: Store, pods: list[str]) -> None:
    before = await store.bind("project", "az1", pods[0])
    winner = await store.rebind(before, pods[1])

    loser = await store.rebind(before, pods[2])

    assert loser == winner


async def test_rebinds_at_once_agree(store: Store, replica: Store, pods: list[str]) -> None:
    before = await store.bind("project", "az1", pods[0])

    results = await asyncio.gather(
        *((store, replica)[n % 2].rebind(before, pods[n]) for n in range(1, 20))
    )

    assert len(set(results)) == 1


async def test_rebind_makes_a_deleted_binding_again(store: Store, pods: list[str]) -> None:
    before = await store.bind("project", "az1", pods[0])
    await store.delete_binding(before.id)

    after = await store.rebind(before, pods[1])

    assert after.pod_id == pods[1]
    assert await store.bindings() == [after]


async def test_create_binding_conflicts_with_one_that_is_there(
    store: Store, pods: list[str]
) -> None:
    created = await store.create_binding("project", "az1", pods[0])

    with pytest.raises(Conflict):
        await store.create_binding("project", "az1", pods[1])

    assert await store.bindings() == [created]


async def test_a_binding_needs_a_pod(store: Store, pods: list[str]) -> None:
    there = await store.bind("project", "az1", pods[0])

    with pytest.raises(Missing):
        await store.bind("project", "az2", "nowhere")
    with pytest.raises(Missing):
        await store.create_binding("project", "az2", "nowhere")
    with pytest.raises(Missing):
        await store.rebind(there, "nowhere")

    assert await store.bindings() == [there]


async def test_a_deleted_binding_is_gone(store: Store, pods: list[str]) -> None:
    binding = await store.bind("project", "az1", pods[0])

    await store.delete_binding(binding.id)

    assert await store.binding(binding.id) is None
    with pytest.raises(Missing):
        await store.delete_binding(binding.id)
