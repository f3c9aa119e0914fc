"""Shadows: one a pod of each thing, whoever makes it first."""

import asyncio

from control_plane.database import Store


async def test_a_pod_has_one_shadow_of_a_thing_though_two_make_it(
    store: Store, replica: Store
) -> None:
    found = await asyncio.gather(
        *(
            (store, replica)[n % 2].keep_shadow("server_group", "g", "Pod2", f"shadow{n}")
            for n in range(6)
        )
    )

    assert len(set(found)) == 1
    assert await store.shadows("server_group", "g", ["Pod2", "Pod3"]) == {"Pod2": found[0]}


async def test_a_shadow_says_what_it_stands_for(store: Store) -> None:
    await store.keep_shadow("server_group", "g", "Pod2", "s2")
    await store.keep_shadow("server_group", "g", "Pod3", "s3")

    assert await store.shadowed("server_group", "Pod2", ["s2", "s3", "other"]) == {"s2": "g"}
    assert await store.shadows("server_group", "g", ["Pod3"]) == {"Pod3": "s3"}


async def test_a_shadow_that_was_forgotten_can_be_made_anew(store: Store) -> None:
    await store.keep_shadow("server_group", "g", "Pod2", "s2")

    await store.forget_shadow("server_group", "Pod2", "s2")

    assert await store.shadows("server_group", "g", ["Pod2"]) == {}
    assert await store.keep_shadow("server_group", "g", "Pod2", "new") == "new"


async def test_a_pod_is_said_to_have_shadows_once_one_is_kept(store: Store) -> None:
    before = await store.has_shadows("server_group", "Pod2")

    await store.keep_shadow("server_group", "g", "Pod2", "s2")

    assert not before
    assert await store.has_shadows("server_group", "Pod2")
    assert not await store.has_shadows("server_group", "Pod3")
    assert not await store.has_shadows("volume_type", "Pod2")
