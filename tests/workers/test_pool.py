"""Workers as processes, over an empty database and without pods or Envoy."""

import asyncio
import os
import random
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from structlog.testing import capture_logs

from control_plane.database import upgrade
from control_plane.model.errors import StartupError
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.observability.metrics import Metrics
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.settings import Settings
from control_plane.workers.notices import CopiesChanged
from control_plane.workers.pool import Pool

VIEW = View(Fleet.of([Pod("1", "Pod1", "az1")]), {"Pod1": PodFacts()})


def two_ports() -> int:
    """Find two free ports, one behind the other, that the kernel gives nobody by itself."""
    while True:
        port = random.randrange(20_000, 32_000)
        with ExitStack() as held:
            try:
                for wanted in (port, port + 1):
                    held.enter_context(socket.create_server(("127.0.0.1", wanted)))
            except OSError:
                continue
            return port


class Running:
    """A pool of two, and what was heard from its workers."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[object] = []
        self.settings = Settings.model_validate(
            {
                "identity": {
                    "auth_url": "http://127.0.0.1:9/v3",
                    "username": "trio2o",
                    "password": "hunter2",
                },
                "database": f"sqlite:///{folder}/trio2o.db",
                "processor": {
                    "listen": f"127.0.0.1:{two_ports()}",
                    "words": f"127.0.0.1:{two_ports()}",
                    "workers": 2,
                },
                "envoy": {"egress": f"unix:{folder}/egress.sock"},
            }
        )
        self.pool = Pool(self.settings, self._hear)

    async def _hear(self, notice: object) -> None:
        self.heard.append(notice)

    @property
    def pids(self) -> list[int]:
        return [member.pid for member in self.pool._members.values()]

    async def health(self) -> list[bytes]:
        """Ask every worker whether it serves."""
        answers = []
        for address in (*self.settings.processors, *self.settings.words):
            async with grpc.aio.insecure_channel(str(address)) as channel:
                check = channel.unary_unary("/grpc.health.v1.Health/Check")
                answers.append(await check(b"", timeout=10))
        return answers


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(tmp_path)
    await upgrade(running.settings.database)
    await running.pool.start(VIEW)
    keeping = asyncio.create_task(running.pool.run())
    yield running
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await running.pool.stop()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  # another process decides
            await asyncio.sleep(0.02)


def test_a_worker_imports_nothing_of_what_xds_is_built_with() -> None:
    code = (
        "import sys, control_plane.workers.process; "
        "print([name for name in sys.modules if name.split('.')[0] in"
        " ('envoy_data_plane', 'betterproto2') or name.startswith('control_plane.xds')])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert found.stdout.strip() == b"[]"


async def test_every_worker_serves_takes_views_in_and_is_counted(running: Running) -> None:
    serving = await running.health()
    await running.pool.show(View(VIEW.fleet, VIEW.facts, frozenset({("Pod1", "compute")})))
    metrics = Metrics()
    metrics.looked_up("memory")
    text = (await running.pool.exposition(metrics.registry.collect())).decode()

    assert serving == [b"\x08\x01"] * 4
    assert running.pool.fault() is None
    assert 'trio2o_owner_lookups_total{source="memory"} 1.0' in text
    assert len(running.pool._totals._counted) == 2


async def test_what_one_worker_changes_is_known_everywhere_before_it_goes_on(
    running: Running,
) -> None:
    first = running.pool._members[0]

    await first._channel._take(CopiesChanged("flavor"))

    assert running.heard == [CopiesChanged("flavor")]
    assert running.pool.fault() is None  # the other one has taken it in


async def test_a_worker_that_dies_is_replaced(running: Running) -> None:
    dead, other = running.pids

    os.kill(dead, signal.SIGKILL)
    await _until(lambda: running.pool.fault() is not None)
    told = running.pool.fault() == "1 of 2 do not serve"
    await _until(lambda: running.pool.fault() is None)

    assert told
    assert running.pids[0] != dead
    assert running.pids[1] == other
    assert await running.health() == [b"\x08\x01"] * 4


async def test_a_worker_that_takes_nothing_in_is_replaced(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control_plane.workers.pool.NOTICE_SECONDS", 0.2)
    stuck, _ = running.pids

    os.kill(stuck, signal.SIGSTOP)
    await running.pool.show(View(VIEW.fleet, VIEW.facts, frozenset({("Pod1", "volume")})))
    await _until(lambda: running.pids[0] != stuck and running.pool.fault() is None)

    assert await running.health() == [b"\x08\x01"] * 4


async def test_a_worker_that_dies_while_the_database_is_gone_is_replaced_when_it_is_back(
    running: Running, tmp_path: Path
) -> None:
    database, away = tmp_path / "trio2o.db", tmp_path / "away"
    # SQLite would make a file that is not there, and none where there is a folder.
    database.rename(away)
    database.mkdir()

    with capture_logs() as logs:
        os.kill(running.pids[0], signal.SIGKILL)
        await _until(lambda: "worker_not_started" in [entry["event"] for entry in logs])
    database.rmdir()
    away.rename(database)
    await _until(lambda: running.pool.fault() is None)

    assert await running.health() == [b"\x08\x01"] * 4


async def test_a_machine_that_starts_no_process_for_a_while_does_not_end_the_pool(
    running: Running,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    with capture_logs() as logs:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            os.kill(running.pids[0], signal.SIGKILL)
            await _until(lambda: "worker_not_started" in [entry["event"] for entry in logs])
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await _until(lambda: running.pool.fault() is None)

    assert await running.health() == [b"\x08\x01"] * 4


async def test_a_worker_ends_with_the_process_that_started_it(running: Running) -> None:
    member = running.pool._members[0]

    member._channel.close()

    assert await member._process.wait() == 0


async def test_workers_stop_when_they_are_asked_to(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await upgrade(running.settings.database)
    await running.pool.start(VIEW)
    keeping = asyncio.create_task(running.pool.run())

    await running.pool.stop()
    await keeping

    statuses = [member._process.returncode for member in running.pool._members.values()]
    assert statuses == [0, 0]


async def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await upgrade(running.settings.database)
    address = running.settings.processors[1]

    with socket.create_server((address.host, address.port)):
        with pytest.raises(StartupError, match=f"{address.port}: cannot be listened on"):
            await running.pool.start(VIEW)
        await running.pool.stop()
