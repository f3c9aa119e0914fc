"""Ids of copies in the database."""

import asyncio
from collections.abc import Sequence

from control_plane.database import Store
from control_plane.database.copies import Change
from control_plane.model.copy import USERS, Copy
from control_plane.model.pod import Pod

TYPE = Copy("volume_type", "Pod1", "a", "a", "gold")


def _add(*wanted: Copy) -> Change:
    def change(known: Sequence[Copy]) -> Sequence[Copy]:
        return [*known, *(entry for entry in wanted if entry not in known)]

    return change


async def test_copies_are_read_as_they_were_written(store: Store, replica: Store) -> None:
    other = Copy("qos_spec", "Pod1", "a", "a", "gold")

    await store.change_copies("volume_type", _add(TYPE))
    await store.change_copies("qos_spec", _add(other))

    assert await replica.copies("volume_type") == [TYPE]
    assert await replica.copies() == [other, TYPE]


async def test_a_change_replaces_and_removes(store: Store) -> None:
    await store.change_copies("volume_type", _add(TYPE, Copy("volume_type", "Pod2", "b", "a", "x")))
    renamed = Copy("volume_type", "Pod1", "a", "a", "silver")

    found = await store.change_copies("volume_type", lambda _: [renamed])

    assert found == [renamed]
    assert await store.copies() == [renamed]


async def test_replicas_that_name_a_thing_at_once_agree(store: Store, replica: Store) -> None:
    def name(pod: str) -> Change:
        def change(known: Sequence[Copy]) -> Sequence[Copy]:
            if any(entry.pod == USERS for entry in known):
                return known
            return [*known, Copy("volume_type", USERS, pod, pod, "gold")]

        return change

    results = await asyncio.gather(
        *((store, replica)[n % 2].change_copies("volume_type", name(f"id{n}")) for n in range(6))
    )

    assert len({tuple(result) for result in results}) == 1


async def test_a_deleted_pod_takes_its_copies_along_and_leaves_the_users_ids(store: Store) -> None:
    await store.create_pod(Pod(id="", name="Pod1", availability_zone="az1"))
    own = Copy("volume_type", USERS, "a", "a", "gold")
    await store.change_copies("volume_type", _add(TYPE, own))

    await store.delete_pod("Pod1")

    assert await store.copies() == [own]
