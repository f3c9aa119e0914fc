"""Presence: who brings a project into a further pod waits until no list is routed as before."""

import asyncio
from datetime import UTC, datetime, timedelta

from control_plane.directory.presence import LEASE, Presence
from control_plane.model.errors import Missing


class Rows:
    """Presence in a dictionary, as all processes share it."""

    def __init__(self, age: timedelta = timedelta()) -> None:
        self.rows: dict[str, dict[str, datetime]] = {}
        self.gone: set[str] = set()
        self.written = 0
        self._age = age

    async def enter(self, project_id: str, pod_id: str) -> None:
        if pod_id in self.gone:
            raise Missing(pod_id)
        self.written += 1
        rows = self.rows.setdefault(project_id, {})
        rows.setdefault(pod_id, datetime.now(UTC) - self._age)

    async def presence(self, project_id: str) -> dict[str, datetime]:
        return dict(self.rows.get(project_id, {}))


class Process:
    """One process, which tells how long it waited."""

    def __init__(self, rows: Rows) -> None:
        self.waited: list[float] = []
        self.presence = Presence(rows, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


async def test_the_first_pod_of_a_project_is_not_waited_for() -> None:
    rows = Rows()
    process = Process(rows)

    for _ in range(3):
        await process.presence.enter("p", "1")

    assert process.waited == []
    assert rows.written == 1
    assert await process.presence.of("p") == {"1"}


async def test_a_further_pod_is_waited_for_once() -> None:
    process = Process(Rows())
    await process.presence.enter("p", "1")

    for _ in range(3):
        await process.presence.enter("p", "2")

    [waited] = process.waited
    assert waited > LEASE


async def test_all_who_come_while_one_waits_wait_with_it() -> None:
    rows = Rows()
    entered = asyncio.Event()
    done: list[int] = []

    async def sleep(_: float) -> None:
        await entered.wait()

    presence = Presence(rows, sleep)
    await presence.enter("p", "1")

    async def enter(number: int) -> None:
        await presence.enter("p", "2")
        done.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(3)]
    await asyncio.sleep(0.01)
    before = list(done)
    tasks[0].cancel()
    entered.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert before == []
    assert sorted(done) == [1, 2]


async def test_another_process_waits_too_while_the_row_is_young() -> None:
    rows = Rows()
    await Process(rows).presence.enter("p", "1")
    await Process(rows).presence.enter("p", "2")
    other = Process(rows)

    await other.presence.enter("p", "2")

    assert len(other.waited) == 1


async def test_what_has_been_known_for_long_is_not_waited_for() -> None:
    rows = Rows(age=timedelta(hours=1))
    for pod in ("1", "2"):
        await rows.enter("p", pod)
    process = Process(rows)

    await process.presence.enter("p", "2")

    assert process.waited == []


async def test_what_was_only_seen_is_waited_for_when_something_is_made() -> None:
    process = Process(Rows())
    await process.presence.enter("p", "1")
    await process.presence.note("p", "2")

    await process.presence.enter("p", "2")

    assert len(process.waited) == 1


async def test_a_pod_that_has_just_been_taken_out_stops_nobody() -> None:
    rows = Rows()
    rows.gone.add("1")

    await Process(rows).presence.enter("p", "1")
    await Process(rows).presence.note("p", "1")
