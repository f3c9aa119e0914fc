"""Intents in the database."""

import asyncio

from control_plane.database import Store
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod


def _intent(pod: str = "Pod2", subject: str = "compute/flavor/1", **fields: object) -> Intent:
    values = {"service": "compute", "method": "POST", "path": "/flavors", **fields}
    return Intent(pod, subject, **values)  # type: ignore[arg-type]


async def test_intents_are_read_in_the_order_in_which_they_came(store: Store) -> None:
    await store.add_intents([_intent(body={"flavor": {"id": "1"}}), _intent(pod="Pod3")])
    await store.add_intents([_intent(path="/flavors/1/action", user_id="u", version="2.55")])

    found = await store.intents("Pod2")

    assert [entry.path for entry in found] == ["/flavors", "/flavors/1/action"]
    assert found[0].body == {"flavor": {"id": "1"}}
    assert (found[1].user_id, found[1].version, found[1].attempts) == ("u", "2.55", 0)
    assert len(await store.intents()) == 3
    assert await store.waiting() == {("Pod2", "compute/flavor/1"), ("Pod3", "compute/flavor/1")}


async def test_an_intent_is_claimed_by_one_replica(store: Store, replica: Store) -> None:
    await store.add_intents([_intent()])
    [intent] = await store.intents()

    claims = await asyncio.gather(
        *((store, replica)[n % 2].claim(intent.id, 60, sent=True) for n in range(6))
    )

    [claimed] = await store.intents()
    assert claims.count(True) == 1
    assert (claimed.attempts, claimed.sent) == (1, True)


async def test_a_postponed_intent_is_due_again_later(store: Store) -> None:
    await store.add_intents([_intent()])
    [intent] = await store.intents()

    await store.claim(intent.id, 60, sent=False)
    await store.postpone(intent.id, 60, "does not answer")
    later = await store.claim(intent.id, 60, sent=False)
    await store.postpone(intent.id, -1, "does not answer")
    now = await store.claim(intent.id, 60, sent=False)

    [found] = await store.intents()
    assert (later, now) == (False, True)
    assert (found.reason, found.sent, found.attempts) == ("does not answer", False, 2)


async def test_a_refused_intent_stays_and_is_not_waited_for(store: Store) -> None:
    await store.add_intents([_intent(), _intent()])
    first, second = await store.intents()

    await store.refuse(first.id, "409: exists")
    await store.finish(second.id)

    [found] = await store.intents()
    assert (found.refused, found.reason) == (True, "409: exists")
    assert await store.waiting() == set()
    assert await store.count_intents("Pod2") == 0
    assert not await store.claim(first.id, 60, sent=False)


async def test_a_deleted_pod_is_to_be_told_nothing_more(store: Store) -> None:
    await store.create_pod(Pod(id="", name="Pod2", availability_zone="az1"))
    await store.add_intents([_intent(), _intent(pod="Pod3")])

    await store.delete_pod("Pod2")

    assert [entry.pod for entry in await store.intents()] == ["Pod3"]
