"""Owners in the database."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

from control_plane.database import Store
from control_plane.model.owner import Owner

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


async def test_an_owner_is_read_as_it_was_written(store: Store) -> None:
    owner = Owner("1", "server", "Pod1", "project", _MOMENT)

    await store.record([owner])

    assert await store.owner("1") == owner
    assert await store.owner("2") is None


async def test_a_time_of_another_zone_is_kept_in_utc(store: Store) -> None:
    elsewhere = _MOMENT.astimezone(timezone(timedelta(hours=9)))

    await store.record([Owner("1", "server", "Pod1", "project", elsewhere)])

    found = await store.owner("1")
    assert found is not None
    assert found.created_at == _MOMENT
    assert found.created_at.utcoffset() == timedelta(0)


async def test_the_pod_of_a_known_id_never_changes(store: Store) -> None:
    await store.record([Owner("1", "server", "Pod1", "project", _MOMENT)])

    await store.record([Owner("1", "volume", "Pod2", "other", datetime.now(UTC))])

    assert await store.owner("1") == Owner("1", "server", "Pod1", "project", _MOMENT)


async def test_what_was_unknown_is_filled_in(store: Store) -> None:
    await store.record([Owner("1", "server", "Pod1")])

    await store.record([Owner("1", "server", "Pod1", "project", _MOMENT)])
    await store.record([Owner("1", "server", "Pod1")])

    assert await store.owner("1") == Owner("1", "server", "Pod1", "project", _MOMENT)


async def test_ids_differ_by_case(store: Store) -> None:
    await store.record([Owner("a", "server", "Pod1"), Owner("A", "server", "Pod2")])

    found = await store.owners(["a", "A"])

    assert {key: owner.pod for key, owner in found.items()} == {"a": "Pod1", "A": "Pod2"}


async def test_many_owners_are_read_at_once(store: Store) -> None:
    await store.record(Owner(str(n), "server", f"Pod{n % 3}") for n in range(2500))

    found = await store.owners(str(n) for n in range(3000))

    assert len(found) == 2500
    assert found["2499"].pod == "Pod0"


async def test_nothing_is_recorded_and_read_without_a_query(store: Store) -> None:
    await store.record([])

    assert await store.owners([]) == {}


async def test_a_deleted_resource_is_still_found(store: Store) -> None:
    await store.record([Owner("1", "server", "Pod1"), Owner("2", "server", "Pod1")])

    await store.mark_deleted("1")
    await store.mark_deleted("1")
    await store.mark_deleted("nowhere")

    assert await store.owner("1") is not None
    assert await store.count_owned("Pod1") == 1


async def test_replicas_that_record_at_once_agree_on_the_pod(store: Store, replica: Store) -> None:
    def batch(pod: str, order: int) -> list[Owner]:
        return [Owner(str(n), "server", pod) for n in range(50)][::order]

    await asyncio.gather(
        *((store, replica)[n % 2].record(batch(f"Pod{n}", 1 - 2 * (n % 2))) for n in range(10))
    )
    before = await store.owners(str(n) for n in range(50))
    await replica.record(batch("Pod99", 1))

    assert len(before) == 50
    assert await store.owners(before) == before
