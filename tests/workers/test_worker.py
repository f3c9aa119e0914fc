"""What one worker tells the others, and takes in from them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import grpc
import pytest

from control_plane.database import upgrade
from control_plane.lists.cursor import ListKey
from control_plane.lists.sequence import Place
from control_plane.model.address import Address
from control_plane.pods.view import View
from control_plane.processor.streams import Inbox
from control_plane.settings import Settings
from control_plane.workers import worker
from control_plane.workers.notices import PlacesFound, Shown, Start
from control_plane.workers.process import Process
from control_plane.workers.worker import Worker

KEY = ListKey("compute", "/servers", "u", "p", "2.1", ())
PLACES = {"Pod1": Place("x", 1)}


class Working:
    """A worker of so many, and what it told."""

    def __init__(self, folder: Path, count: int) -> None:
        self.told: list[object] = []
        self.settings = settings = Settings.model_validate(
            {
                "identity": {
                    "auth_url": "http://127.0.0.1:9/v3",
                    "username": "trio2o",
                    "password": "hunter2",
                },
                "database": f"sqlite:///{folder}/trio2o.db",
                "processor": {"listen": "127.0.0.1:20000", "workers": count},
            }
        )
        self.worker = Worker(settings, self._tell)

    async def _tell(self, notice: object) -> None:
        self.told.append(notice)


@pytest.mark.parametrize(("count", "told"), [(1, []), (2, [PlacesFound(KEY, "x", PLACES)])])
async def test_the_next_page_may_come_to_another_worker(
    tmp_path: Path, count: int, told: list[object]
) -> None:
    working = Working(tmp_path, count)

    working.worker.cloud.cursors.put(KEY, "x", PLACES)
    await working.worker.cloud.later.finish()

    assert working.told == told


async def test_places_that_another_worker_found_are_taken_in_and_not_told_again(
    tmp_path: Path,
) -> None:
    working, process = Working(tmp_path, 2), Process()
    process._worker = working.worker

    await process._take(PlacesFound(KEY, "x", PLACES))
    await working.worker.cloud.later.finish()

    assert working.worker.cloud.cursors.get(KEY, "x") == PLACES
    assert working.told == []


async def test_what_a_pod_is_making_is_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.01)
    working, made = Working(tmp_path, 1), asyncio.Event()

    async def hold(inbox: Inbox) -> AsyncGenerator[bytes, None]:
        yield await anext(inbox)
        await made.wait()
        yield b"made"

    working.worker.streams.hold = hold
    await upgrade(working.settings.database)
    listen, words = (Address("127.0.0.1", unused_tcp_port_factory()) for _ in range(2))
    await working.worker.start(Start(0, working.settings, listen, words, Shown.of(View())))
    async with grpc.aio.insecure_channel(str(listen)) as channel:
        stream = channel.stream_stream("/Process")()
        await stream.write(b"make")
        await stream.read()
        stopping = asyncio.create_task(working.worker.stop())
        # Longer than all else is waited for.
        await asyncio.sleep(0.2)
        made.set()
        answer = await stream.read()
        await stopping

    assert answer == b"made"
