"""Owners and misses in memory."""

from control_plane.directory.memory import MISS_SECONDS, MissMemory, OwnerMemory


def test_memory_is_bounded_and_keeps_what_is_used() -> None:
    memory = OwnerMemory(generation=100)
    memory.learn("kept", "Pod1")

    for number in range(1000):
        memory.learn(str(number), "Pod2")
        assert memory.get("kept") == "Pod1"

    assert len(memory) <= 200
    assert memory.get("0") is None
    assert memory.get("999") == "Pod2"


def test_a_miss_is_forgotten_after_a_while_or_when_the_id_appears() -> None:
    now = 0.0
    misses = MissMemory(lambda: now)
    misses.add("p", "a")
    misses.add("p", "b")

    assert ("p", "a") in misses
    assert ("q", "a") not in misses

    misses.forget("a", "p")
    assert ("p", "a") not in misses

    now = MISS_SECONDS + 1
    assert ("p", "b") not in misses
