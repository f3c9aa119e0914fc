"""Owners in the database."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import DBAPIError

from control_plane.database import Store
from control_plane.database.kept_file import KeptFile
from control_plane.database.kept_server import KeptConnections
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


async def test_a_text_that_is_too_long_is_not_cut(store: Store) -> None:
    if store.database.dialect == "sqlite":
        pytest.skip("SQLite takes texts of any length")
    with pytest.raises(DBAPIError):
        await store.record([Owner("1" * 300, "server", "Pod1")])

    assert await store.owners(["1" * 255]) == {}


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
    assert await store.standing("1") is None
    assert await store.standing("2") == await store.owner("2")
    assert await store.standing("nowhere") is None
    assert await store.count_owned("Pod1") == 1


async def test_what_is_recorded_again_is_there_again(store: Store) -> None:
    await store.record([Owner("1", "backup", "Pod1", "project")])
    await store.mark_deleted("1")

    await store.record([Owner("1", "backup", "Pod1", "project")])

    assert await store.count_owned("Pod1") == 1


async def test_an_owner_is_given_to_another_project(store: Store) -> None:
    await store.record([Owner("1", "volume", "Pod1", "project", _MOMENT)])

    await store.give("1", "other")
    await store.give("nowhere", "other")

    assert await store.owner("1") == Owner("1", "volume", "Pod1", "other", _MOMENT)
    assert await store.owner("nowhere") is None


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


async def test_the_pods_of_many_ids_are_one_answer(store: Store) -> None:
    await store.record([Owner(str(number), "server", f"Pod{number % 3}") for number in range(1500)])

    found = await store.pods_of([str(number) for number in range(1000, 3000)])

    assert found == {str(number): f"Pod{number % 3}" for number in range(1000, 1500)}
    assert await store.pods_of([]) == {}


async def test_ids_are_values_whatever_they_hold(store: Store) -> None:
    odd = ["a'b", 'a"b', "a%sb", "a:b", "ä€\U0001f600", "Ab"]
    await store.record([Owner(entry, "server", "Pod1") for entry in odd])

    assert set(await store.pods_of([*odd, "aB", "' OR '1'='1"])) == set(odd)


async def test_look_ups_go_on_when_their_connection_is_lost(store: Store) -> None:
    await store.record([Owner("a", "server", "Pod1")])
    assert await store.pods_of(["a"]) == {"a": "Pod1"}
    kept = store.database.kept
    if isinstance(kept, KeptFile):
        assert kept._here is not None
        kept._here.close()
    else:
        assert isinstance(kept, KeptConnections)
        assert kept._asking._connection is not None
        await kept._asking._connection.invalidate()

    assert await store.pods_of(["a"]) == {"a": "Pod1"}


async def test_look_ups_at_once_do_not_disturb_each_other(store: Store) -> None:
    await store.record([Owner(str(number), "server", f"Pod{number}") for number in range(20)])

    found = await asyncio.gather(*(store.pods_of([str(number)]) for number in range(20)))

    assert found == [{str(number): f"Pod{number}"} for number in range(20)]


async def test_a_look_up_that_is_given_up_leaves_a_connection_that_works(store: Store) -> None:
    await store.record([Owner("a", "server", "Pod1")])
    leaving = asyncio.create_task(store.pods_of(["a"]))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await store.pods_of(["a"]) == {"a": "Pod1"}


async def test_a_replica_sees_what_another_has_just_written(store: Store, replica: Store) -> None:
    assert await replica.pods_of(["a"]) == {}

    await store.record([Owner("a", "server", "Pod1")])

    assert await replica.pods_of(["a"]) == {"a": "Pod1"}


async def test_what_a_pod_has_of_a_project_comes_oldest_first_without_what_is_gone(
    store: Store,
) -> None:
    def owner(name: str, seconds: int, pod: str = "Pod1", project: str = "p") -> Owner:
        return Owner(name, "server", pod, project, _MOMENT + timedelta(seconds=seconds))

    late, early, other, gone = (
        owner("1", 9),
        owner("2", 3),
        owner("3", 5, project="q"),
        owner("4", 4),
    )
    await store.record([late, early, other, gone, owner("5", 1, pod="Pod2")])
    await store.record([Owner("6", "volume", "Pod1", "p", _MOMENT)])
    await store.mark_deleted("4")

    assert await store.placed("server", "Pod1", "p") == [early, late]
    assert await store.placed("server", "Pod1") == [early, other, late]
    assert await store.placed("server", "Pod1", limit=1) == [early]
    assert await store.placed("server", "Pod1", None, early.created_at) == [other, late]
