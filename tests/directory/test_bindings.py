"""A project's bindings are read once, for a short time, and never from before a change."""

import asyncio
from datetime import UTC, datetime

import pytest

from control_plane.directory.bindings import PROJECTS, SECONDS, Bindings
from control_plane.model.binding import Binding


def _binding(pod: str, zone: str = "az1", number: int = 0, project: str = "p") -> Binding:
    return Binding(
        f"{zone}-{number}", project, zone, pod, datetime(2026, 1, 1, 0, number, tzinfo=UTC)
    )


class Store:
    """Rows that another process may change; answers when it is let."""

    def __init__(self, *rows: Binding) -> None:
        self.rows = list(rows)
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self.fault: Exception | None = None

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        self.asked += 1
        assert pod_id is None
        found = [row for row in self.rows if row.project_id == project_id]
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return found

    async def bind(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        self.rows.append(_binding(pod_id, availability_zone, len(self.rows), project_id))
        return self.rows[-1]

    async def rebind(self, binding: Binding, pod_id: str) -> Binding:
        self.rows.remove(binding)
        return await self.bind(binding.project_id, binding.availability_zone, pod_id)


async def test_bindings_are_read_once_in_a_while_oldest_first() -> None:
    now = 0.0
    store = Store(_binding("B", "az2", 2), _binding("A", "az1", 1))
    bindings = Bindings(store, lambda: now)

    for _ in range(3):
        assert [entry.pod_id for entry in await bindings.of("p")] == ["A", "B"]
    assert store.asked == 1

    store.rows.clear()
    now = SECONDS
    assert await bindings.of("p") == ()
    assert store.asked == 2


async def test_those_that_ask_at_once_share_the_question() -> None:
    store = Store(_binding("A"))
    store.open.clear()
    bindings = Bindings(store)
    leaving, *staying = [asyncio.create_task(bindings.of("p")) for _ in range(4)]
    await asyncio.sleep(0)

    leaving.cancel()
    await asyncio.sleep(0)
    store.open.set()

    for task in staying:
        assert [entry.pod_id for entry in await task] == ["A"]
    assert store.asked == 1


async def test_what_this_process_changes_is_seen_at_once() -> None:
    store = Store()
    bindings = Bindings(store)
    assert await bindings.of("p") == ()

    held = await bindings.bind("p", "az1", "A")
    assert [entry.pod_id for entry in await bindings.of("p")] == ["A"]

    await bindings.rebind(held, "B")
    assert [entry.pod_id for entry in await bindings.of("p")] == ["B"]


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    store = Store()
    store.open.clear()
    bindings = Bindings(store)
    early = asyncio.create_task(bindings.of("p"))
    await asyncio.sleep(0)

    await bindings.bind("p", "az1", "A")
    store.open.set()
    await early

    assert [entry.pod_id for entry in await bindings.of("p")] == ["A"]


async def test_a_failure_is_told_and_the_next_question_is_asked() -> None:
    store = Store(_binding("A"))
    store.fault = OSError("gone")
    bindings = Bindings(store)

    with pytest.raises(OSError, match="gone"):
        await bindings.of("p")
    store.fault = None

    assert [entry.pod_id for entry in await bindings.of("p")] == ["A"]


async def test_so_many_projects_are_kept_and_no_more() -> None:
    store = Store()
    bindings = Bindings(store)

    for number in range(PROJECTS + 10):
        await bindings.of(str(number))

    assert len(bindings._kept) == PROJECTS
