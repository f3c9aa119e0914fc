"""`trio2o up`: the control plane and its child, with stand-ins for both."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from control_plane import app
from control_plane.commands import process, up
from control_plane.model.address import Address
from control_plane.model.errors import StartupError
from control_plane.settings import Settings, load

SERVES = "import signal, time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVES}"
DIES = "raise SystemExit(3)"
CRASHES = "import os, signal; os.kill(os.getpid(), signal.SIGBUS)"

Start = Callable[..., "asyncio.Task[None]"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> Settings:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path)[:50])
    monkeypatch.setattr(Settings, "runtime_directory", tmp_path / "runtime")
    path = tmp_path / "trio2o.yaml"
    path.write_text(
        'identity: {auth_url: "http://keystone:5000/v3", username: trio2o, password: hunter2}\n'
        f"database: sqlite:///{tmp_path}/trio2o.db\n"
        f"xds: {{listen: '127.0.0.1:{unused_tcp_port}'}}\n"
        "processor: {listen: '127.0.0.1:0', words: '127.0.0.1:0', workers: 1}\n"
        "listen: 127.0.0.1:0\nenvoy: {admin: '127.0.0.1:0'}\n"
        "admin: {listen: '127.0.0.1:0'}\nmetrics: {listen: '127.0.0.1:0'}\n"
    )
    return load(path)


class Plane:
    """A control plane that only listens; `stopped` once it was asked to end."""

    def __init__(self) -> None:
        self.stopped = False
        self.fault: Exception | None = None

    async def run(self, settings: Settings, stop: asyncio.Event) -> None:
        if self.fault:
            raise self.fault
        listen: Address = settings.xds.listen
        server = await asyncio.start_server(lambda _, w: w.close(), listen.host, listen.port)
        async with server:
            await stop.wait()
        self.stopped = True


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Plane:
    plane = Plane()
    monkeypatch.setattr(app, "run", plane.run)
    # Leaves pytest's own logging as it is.
    monkeypatch.setattr(process, "configure", lambda *_: None)
    return plane


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Start:
    def start(child: str, **changes: object) -> "asyncio.Task[None]":
        monkeypatch.setattr(up, "write_command", lambda _: [sys.executable, "-c", child])
        return asyncio.create_task(up.run_up(settings.model_copy(update=changes)))

    return start


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[asyncio.subprocess.Process]":
    started: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
    start = up.start_envoy

    async def remember(command: list[str]) -> asyncio.subprocess.Process:
        child = await start(command)
        started.put_nowait(child)
        return child

    monkeypatch.setattr(up, "start_envoy", remember)
    return started


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        signal.SIGINT,
        pytest.param(
            signal.SIGHUP,
            marks=pytest.mark.skipif(
                signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="run by nohup"
            ),
        ),
    ],
)
async def test_a_signal_ends_both(
    run: Start,
    plane: Plane,
    children: "asyncio.Queue[asyncio.subprocess.Process]",
    number: signal.Signals,
) -> None:
    task = run(SERVES)
    child = await children.get()

    os.kill(os.getpid(), number)
    await asyncio.wait_for(task, 20)

    assert plane.stopped
    assert child.returncode == -signal.SIGTERM


async def test_an_envoy_that_does_not_end_is_killed(
    run: Start,
    plane: Plane,
    children: "asyncio.Queue[asyncio.subprocess.Process]",
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(up, "_ENVOY_GRACE", 0.2)
    task = run(STUBBORN)
    child = await children.get()
    await _until(lambda: "up" in capfd.readouterr().out)

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 20)

    assert child.returncode == -signal.SIGKILL


async def test_an_envoy_that_dies_ends_the_control_plane(run: Start, plane: Plane) -> None:
    with pytest.raises(StartupError, match="Envoy ended with status 3"):
        await asyncio.wait_for(run(DIES), 20)

    assert plane.stopped


async def test_an_envoy_that_crashes_with_the_module_can_be_run_without(
    run: Start, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "built_module", lambda: Path("/opt/module.so"))

    with pytest.raises(StartupError, match=r"status -7 .*envoy\.module: false"):
        await asyncio.wait_for(run(CRASHES), 20)
    with pytest.raises(StartupError, match=r"status 3$"):
        await asyncio.wait_for(run(DIES), 20)


async def test_a_control_plane_that_cannot_start_starts_no_envoy(
    run: Start, plane: Plane, children: "asyncio.Queue[asyncio.subprocess.Process]"
) -> None:
    plane.fault = StartupError("no")

    with pytest.raises(StartupError, match="no"):
        await asyncio.wait_for(run(SERVES), 20)

    assert children.empty()


async def test_the_bootstrap_is_readable_by_this_user_only(
    run: Start,
    plane: Plane,
    settings: Settings,
    children: "asyncio.Queue[asyncio.subprocess.Process]",
) -> None:
    task = run(SERVES)
    await children.get()

    mode = settings.runtime_directory.stat().st_mode & 0o777
    written = (settings.runtime_directory / "envoy.json").exists()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 20)

    assert (mode, written) == (0o700, True)


@pytest.mark.parametrize("wanted", [True, False])
async def test_envoy_is_told_of_the_module_unless_the_settings_forbid_it(
    run: Start,
    plane: Plane,
    settings: Settings,
    children: "asyncio.Queue[asyncio.subprocess.Process]",
    monkeypatch: pytest.MonkeyPatch,
    *,
    wanted: bool,
) -> None:
    monkeypatch.setattr(up, "built_module", lambda: Path("/opt/module.so"))
    task = run(SERVES, envoy=settings.envoy.model_copy(update={"module": wanted}))
    await children.get()

    written = (settings.runtime_directory / "envoy.json").read_text()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 20)

    expected = {"trio2o.known_ids": "/opt/module.so"} if wanted else None
    assert json.loads(written)["node"].get("metadata") == expected


def test_a_runtime_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    opened.mkdir()
    opened.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)

    for path in (opened, link):
        with pytest.raises(StartupError, match="remove it"):
            process.make_private(path)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # another process decides
            await asyncio.sleep(0.02)
