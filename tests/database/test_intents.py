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


async def test_of_writes_that_begin_at_once_one_at_most_is_let(
    store: Store, replica: Store
) -> None:
    let = []
    for turn in range(20):
        *wanted, later = [
            [
                _intent(
                    subject=f"compute/flavor/{turn}",
                    write_id=f"{turn}-{place}",
                    held=True,
                    doing=True,
                )
            ]
            for place in range(3)
        ]
        stores = zip((store, replica), wanted, strict=True)
        at_once = sum(await asyncio.gather(*(one.begin(own, 60) for one, own in stores)))
        # Those that were not let are in nobody's way.
        let.append(at_once + await store.begin(later, 60))

    left = await store.intents()

    assert let == [1] * 20
    assert len(left) == 20


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


def _write(write_id: str, subject: str = "compute/flavor/1") -> list[Intent]:
    """Make what stands for a write that was just begun."""
    begun = {"write_id": write_id, "held": True, "doing": True, "sent": True}
    return [_intent(pod, subject, **begun) for pod in ("Pod1", "Pod2", "Pod3")]


async def test_one_write_of_a_subject_is_begun_at_a_time(store: Store) -> None:
    first = await store.begin(_write("a"), 60)
    second = await store.begin(_write("b"), 60)
    other = await store.begin(_write("c", "compute/flavor/2"), 60)
    waiting = await store.waiting()
    await store.renew("a", -1)
    late = await store.begin(_write("b"), 60)

    assert (first, second, other, late) == (True, False, True, True)
    assert waiting == set()
    assert await store.waiting() == {(f"Pod{n}", "compute/flavor/1") for n in (1, 2, 3)}


async def test_what_a_pod_agrees_to_is_held_no_more(store: Store) -> None:
    await store.begin(_write("a"), 60)

    await store.agree("a", "Pod1", {"flavor": {"id": "made"}})

    found = await store.intents()
    assert [(row.pod, row.held, row.doing) for row in found] == [
        ("Pod2", False, True),
        ("Pod3", False, True),
    ]
    assert {row.body["flavor"]["id"] for row in found} == {"made"}


async def test_a_write_that_has_ended_leaves_what_is_late(store: Store) -> None:
    await store.begin(_write("a"), 60)
    await store.agree("a", "Pod1", None)

    await store.settle("a", {"Pod3": (False, "waits for its turn")})

    [row] = await store.intents()
    assert (row.pod, row.sent, row.doing, row.reason) == (
        "Pod3",
        False,
        False,
        "waits for its turn",
    )
    assert await store.waiting() == {("Pod3", "compute/flavor/1")}


async def test_a_write_that_is_none_leaves_what_puts_it_right(store: Store) -> None:
    await store.begin(_write("a"), 60)

    await store.abandon("a", [_intent("Pod1", method="DELETE")])

    [row] = await store.intents()
    assert (row.pod, row.method, row.write_id) == ("Pod1", "DELETE", "")


async def test_a_held_write_is_claimed_whole_by_one_replica(store: Store, replica: Store) -> None:
    await store.begin(_write("a"), -1)
    rows = await store.intents()

    claims = await asyncio.gather(
        *((store, replica)[n % 2].claim(rows[n % 3].id, 60, sent=True, held=True) for n in range(6))
    )
    stale = await store.claim(rows[0].id, 60, sent=True)

    assert claims.count(True) == 1
    assert not stale


async def test_of_a_held_write_another_pod_may_decide_when_one_is_silent(store: Store) -> None:
    await store.begin(_write("a"), -1)
    first, second, _ = await store.intents()

    await store.claim(first.id, 60, sent=True, held=True)
    await store.postpone(first.id, 60, "does not answer")

    assert not await store.claim(first.id, 60, sent=True, held=True)
    assert await store.claim(second.id, 60, sent=True, held=True)
    await store.agree("a", "Pod2", None, over=True)
    assert {row.pod for row in await store.intents()} == {"Pod1", "Pod3"}
    assert await store.claim(first.id, 60, sent=True)
