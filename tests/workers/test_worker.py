"""What one worker tells the others, and takes in from them."""

from pathlib import Path

import pytest

from control_plane.lists.cursor import ListKey
from control_plane.lists.sequence import Place
from control_plane.settings import Settings
from control_plane.workers.notices import PlacesFound
from control_plane.workers.process import Process
from control_plane.workers.worker import Worker

KEY = ListKey("compute", "/servers", "u", "p", "2.1", ())
PLACES = {"Pod1": Place("x", 1)}


class Working:
    """A worker of so many, and what it told."""

    def __init__(self, folder: Path, count: int) -> None:
        self.told: list[object] = []
        settings = Settings.model_validate(
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
