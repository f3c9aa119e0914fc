"""Presence: who brings a project into a further pod waits until no list is routed as before."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from control_plane.directory.presence import LEASE, Presence
from control_plane.model.errors import Missing
from control_plane.model.stay import Stay


class Rows:
    """Presence in a dictionary, as all processes share it."""

    def __init__(self, age: timedelta = timedelta()) -> None:
        self.rows: dict[str, dict[str, Stay]] = {}
        self.gone: set[str] = set()
        self.written = 0
        self.age = age

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) - self.age

    async def enter(self, project_id: str, pod_id: str) -> None:
        await self.note(project_id, pod_id)
        rows = self.rows[project_id]
        rows[pod_id] = replace(rows[pod_id], entered=self.now)

    async def note(self, project_id: str, pod_id: str) -> None:
        if pod_id in self.gone:
            raise Missing(pod_id)
        self.written += 1
        self.rows.setdefault(project_id, {}).setdefault(pod_id, Stay(self.now, self.now))

    async def leave(self, project_id: str, pod_id: str, stay: Stay) -> None:
        if self.rows[project_id].get(pod_id) == stay:
            del self.rows[project_id][pod_id]

    async def presence(self, project_id: str) -> dict[str, Stay]:
        return dict(self.rows.get(project_id, {}))


class Process:
    """One process, which tells how long it waited."""

    def __init__(self, rows: Rows) -> None:
        self.waited: list[float] = []
        self.passed = 0.0
        self.presence = Presence(rows, self._sleep, lambda: self.passed)

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


async def test_what_is_remembered_is_written_again_after_a_while_and_not_waited_for() -> None:
    rows = Rows(age=timedelta(hours=1))
    process = Process(rows)
    for pod in ("1", "2"):
        await process.presence.enter("p", pod)
    rows.age, entered = timedelta(), rows.rows["p"]["1"].entered
    process.passed = 601.0

    await process.presence.enter("p", "1")
    await process.presence.enter("p", "1")

    now = rows.rows["p"]["1"].entered
    assert entered
    assert now
    assert now - entered > timedelta(minutes=50)
    assert rows.written == 3
    assert process.waited == []


async def test_a_pod_can_be_left_when_no_create_can_be_under_way_there() -> None:
    rows = Rows(age=timedelta(minutes=21))
    process = Process(rows)
    await process.presence.enter("p", "1")
    rows.age = timedelta(minutes=19)
    await process.presence.enter("p", "2")
    await process.presence.enter("p", "3")

    settled = await process.presence.settled("p")
    await process.presence.leave("p", "1", settled["1"])

    assert set(settled) == {"1"}
    assert await process.presence.of("p") == {"2", "3"}


async def test_the_pod_that_was_entered_last_is_not_left() -> None:
    rows = Rows(age=timedelta(hours=2))
    process = Process(rows)
    await process.presence.enter("p", "2")
    assert await process.presence.settled("p") == {}
    rows.age = timedelta(hours=1)
    await process.presence.enter("p", "1")

    assert set(await process.presence.settled("p")) == {"2"}


async def test_of_two_that_were_entered_at_once_all_processes_keep_the_same() -> None:
    rows = Rows()
    stay = Stay(datetime.now(UTC), datetime.now(UTC) - timedelta(hours=1))
    for pods in (("1", "2"), ("2", "1")):
        rows.rows["p"] = dict.fromkeys(pods, stay)
        assert set(await Process(rows).presence.settled("p")) == {"1"}


async def test_what_an_older_release_wrote_is_not_left() -> None:
    rows = Rows()
    old = datetime.now(UTC) - timedelta(hours=1)
    rows.rows["p"] = {"1": Stay(old), "2": Stay(old, old)}

    assert set(await Process(rows).presence.settled("p")) == {"2"}
    rows.rows["p"]["2"] = Stay(old)
    assert await Process(rows).presence.settled("p") == {}


async def test_who_comes_back_waits_until_no_list_is_the_others_alone() -> None:
    rows = Rows(age=timedelta(hours=1))
    process, other = Process(rows), Process(rows)
    for pod in ("1", "2"):
        await process.presence.enter("p", pod)
    [(left, stay)] = (await process.presence.settled("p")).items()
    await other.presence.leave("p", left, stay)
    rows.age = timedelta()
    process.passed = 601.0

    await process.presence.enter("p", left)

    assert len(process.waited) == 1
    assert await process.presence.of("p") == {"1", "2"}


async def test_a_pod_that_is_entered_meanwhile_is_not_left() -> None:
    rows = Rows(age=timedelta(hours=1))
    process = Process(rows)
    for pod in ("1", "2"):
        await process.presence.enter("p", pod)
    settled = await process.presence.settled("p")
    rows.age = timedelta()
    await Process(rows).presence.enter("p", "1")

    for pod, stay in settled.items():
        await process.presence.leave("p", pod, stay)

    assert await process.presence.of("p") == {"1", "2"}


async def test_a_pod_is_looked_at_once_in_a_while() -> None:
    process = Process(Rows())

    looks = [process.presence.may_look("p", "1"), process.presence.may_look("p", "1")]
    process.passed = 601.0

    assert looks == [True, False]
    assert process.presence.may_look("p", "1")
