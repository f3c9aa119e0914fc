"""Install tempest in a virtual environment of its own, run it, and keep one line a test."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.openstack.installation import make_environment
from tests.openstack.processes import Processes
from tests.openstack.progress import BedError, say
from tests.openstack.settings import Settings
from tests.openstack.tempest import configuration

RELEASE = "47.0.0"
EVERYTHING = r"^tempest\.api\.(compute|volume)\."


@dataclass(frozen=True, slots=True)
class Plan:
    """Which tests run against which region, and for how many seconds at most.

    `listed` is a file with a regular expression a line, in the place of `regex`.
    """

    region: str = "Pod1"
    regex: str = EVERYTHING
    exclude: str = ""
    listed: Path | None = None
    concurrency: int = 2
    limit: int = 2100

    def at(self, region: str) -> "Plan":
        """Give the same plan for another region."""
        return replace(self, region=region)


def tempest(settings: Settings, plan: Plan, out: Path) -> int:
    """Run a plan and write its result to a file; tempest's own status, BedError when late."""
    processes = Processes(settings)
    folder = settings.base / "tempest-venv"
    _install(settings, folder, processes)
    # stestr, which tempest starts, must be found too.
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    environment["PATH"] = f"{folder / 'bin'}:{environment['PATH']}"
    workspace = settings.base / f"tempest-{plan.region}"
    if not (workspace / ".stestr").is_dir():
        # By default tempest keeps one list of workspaces a user, in which names of two beds clash.
        registry = ["--workspace-path", str(settings.base / "tempest-workspaces.yaml")]
        init = [folder / "bin/tempest", "init", *registry, workspace]
        processes.run(init, log="tempest")
    configuration.write(settings, plan.region, workspace)
    say(f"tempest runs against {plan.region}; output in {workspace / 'console.txt'}")
    started = time.monotonic()
    with (workspace / "console.txt").open("wb") as console:
        process = subprocess.Popen(
            _command(folder, plan),
            cwd=workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(plan.limit)
        except subprocess.TimeoutExpired:
            message = f"tempest was not done within {plan.limit} s; see {console.name}"
            raise BedError(message) from None
        finally:
            _end(process)
    # Of a run that was ended nothing is stored, and the last one stored is another.
    if status not in (0, 1):
        message = f"tempest ended with status {status}; see {console.name}"
        raise BedError(message)
    seconds = f"{time.monotonic() - started:.0f}"
    stream = workspace / "last.subunit"
    with stream.open("wb") as file:
        stestr = [str(folder / "bin/stestr"), "last", "--subunit"]
        subprocess.run(stestr, cwd=workspace, env=environment, stdout=file, check=False)
    rows = [str(folder / "bin/python"), str(Path(__file__).with_name("rows.py"))]
    done = subprocess.run(
        [*rows, str(stream), plan.region, seconds, str(status)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"no result of tempest; see {workspace / 'console.txt'}"
        raise BedError(message)
    out.write_text(done.stdout)
    print("\n".join(done.stdout.splitlines()[:2]))
    return status


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of tempest: it starts its tests in processes of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _command(folder: Path, plan: Plan) -> list[str]:
    words = ["nice", "-n", "5", str(folder / "bin/tempest"), "run"]
    words += ["--concurrency", str(plan.concurrency)]
    # Given both, stestr takes what either of them names.
    words += ["--include-list", str(plan.listed)] if plan.listed else ["--regex", plan.regex]
    return [*words, "--exclude-regex", plan.exclude] if plan.exclude else words


def _install(settings: Settings, folder: Path, processes: Processes) -> None:
    if (folder / "bin/tempest").exists():
        return
    say("installing tempest")
    make_environment(settings, folder, processes)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q"]
    processes.run([*pip, "-U", "pip", "setuptools"], log="pip")
    processes.run([*pip, f"tempest=={RELEASE}"], log="pip")
