"""Where tests run that stestr stores: a folder and a virtual environment of their own."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.openstack.progress import BedError, say


@dataclass(frozen=True, slots=True)
class Place:
    """A run's title, the folder it writes to, its virtual environment, what it is told."""

    title: str
    workspace: Path
    venv: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The processes' environment, in which tests find the clients' commands."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith("OS_")}
        # It would put the project's own `tests` before those that run here.
        kept.pop("PYTHONPATH", None)
        path = f"{self.venv / 'bin'}:{kept['PATH']}"
        return {**kept, "PYTHONWARNINGS": "ignore", "PATH": path, **self.variables}

    @property
    def console(self) -> Path:
        """What the run prints."""
        return self.workspace / "console.txt"

    def run(self, command: Sequence[str], limit: float) -> int:
        """Run a command that ends in stestr's store; its status, BedError when late."""
        say(f"{self.title}; output in {self.console}")
        with self.console.open("wb") as console:
            process = subprocess.Popen(
                ["nice", "-n", "5", *command],
                cwd=self.workspace,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                message = f"{self.title}: not done within {limit:.0f} s; see {self.console}"
                raise BedError(message) from None
            finally:
                _end(process)
        # Of a run that was ended nothing is stored, and the last one stored is another.
        if status not in (0, 1):
            message = f"{self.title}: ended with status {status}; see {self.console}"
            raise BedError(message)
        return status

    def result(self, status: int) -> str:
        """Give the last run's result, a line a test."""
        stream = self.workspace / "last.subunit"
        with stream.open("wb") as file:
            subprocess.run(
                [str(self.venv / "bin/stestr"), "last", "--subunit"],
                cwd=self.workspace,
                env=self.environment,
                stdout=file,
                check=False,
            )
        rows = [str(self.venv / "bin/python"), str(Path(__file__).with_name("rows.py"))]
        done = subprocess.run(
            [*rows, str(stream), self.title, str(status)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            message = f"{self.title}: no result; see {self.console}"
            raise BedError(message)
        print("\n".join(done.stdout.splitlines()[:2]))
        return done.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left: the tests are started in processes of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
