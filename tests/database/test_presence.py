"""Presence: where projects may have things, as all replicas see it at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from control_plane.database import Store, upgrade
from control_plane.database.engine import open_engine
from control_plane.model.errors import Missing
from control_plane.model.pod import Pod


async def test_a_project_is_where_it_was_entered_first(store: Store, replica: Store) -> None:
    one = await store.create_pod(Pod("", "Pod1", "az1"))
    two = await store.create_pod(Pod("", "Pod2", "az2"))

    await store.enter("project", one.id)
    first = await replica.presence("project")
    await replica.enter("project", one.id)
    await replica.enter("project", two.id)

    assert set(first) == {one.id}
    assert abs(first[one.id].since - datetime.now(UTC)) < timedelta(seconds=60)
    assert first[one.id].entered == first[one.id].since
    found = await store.presence("project")
    assert found.keys() == {one.id, two.id}
    assert found[one.id].since == first[one.id].since
    assert found[one.id].entered > first[one.id].entered
    assert await store.presence("Project") == {}


async def test_a_note_changes_nothing_of_what_is_known(store: Store, replica: Store) -> None:
    pod = await store.create_pod(Pod("", "Pod1", "az1"))
    await store.note("project", pod.id)
    before = await store.presence("project")

    await replica.note("project", pod.id)

    assert await store.presence("project") == before


async def test_only_who_was_not_entered_since_leaves(store: Store, replica: Store) -> None:
    pods = [await store.create_pod(Pod("", f"Pod{n}", "az")) for n in range(2)]
    for pod in pods:
        await store.enter("project", pod.id)
    stays = await store.presence("project")
    await replica.enter("project", pods[0].id)

    for pod in pods:
        await store.leave("project", pod.id, stays[pod.id])
        await store.leave("other", pod.id, stays[pod.id])

    assert set(await replica.presence("project")) == {pods[0].id}


async def test_of_two_that_enter_at_once_one_sees_the_other(store: Store, replica: Store) -> None:
    pods = [await store.create_pod(Pod("", f"Pod{n}", "az")) for n in range(2)]

    async def enter(held: Store, pod: Pod) -> set[str]:
        await held.enter("project", pod.id)
        return set(await held.presence("project"))

    seen = await asyncio.gather(enter(store, pods[0]), enter(replica, pods[1]))

    assert {pod.id for pod in pods} in seen


async def test_what_is_known_of_a_pod_ends_with_it(store: Store) -> None:
    pod = await store.create_pod(Pod("", "Pod1", "az1"))
    await store.enter("project", pod.id)

    await store.delete_pod("Pod1")

    assert await store.presence("project") == {}
    with pytest.raises(Missing):
        await store.enter("project", pod.id)


async def test_an_older_databases_projects_are_where_they_are_bound(empty_database: str) -> None:
    await upgrade(empty_database, "0004")
    engine = open_engine(empty_database)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO pods (id, name, availability_zone, pod_availability_zone,"
                " data_center, state, weight, labels, endpoints, created_at, number) VALUES"
                " ('a', 'a', 'az', '', '', 'enabled', 1, '{}', '{}', '2026-01-01 00:00:00', 1)"
            )
        )
        for zone in ("az", "bz"):
            await connection.execute(
                text(
                    "INSERT INTO bindings (id, project_id, availability_zone, pod_id, created_at)"
                    f" VALUES ('{zone}', 'project', '{zone}', 'a', '2026-01-01 00:00:00')"
                )
            )
    await engine.dispose()

    await upgrade(empty_database)
    store = Store.open(empty_database)
    found = await store.presence("project")
    await store.close()

    assert found["a"].since == datetime(2026, 1, 1, tzinfo=UTC)
    assert abs(found["a"].entered - datetime.now(UTC)) < timedelta(seconds=60)
