"""The bed's processes: started detached with a pid file and a log, stopped by pid file."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.openstack.progress import BedError
from tests.openstack.settings import Settings

#: Variables of the caller that would lead a service astray.
_FOREIGN = ("OS_", "TRIO2O_", "LAB_", "PYTEST_", "VIRTUAL_ENV")


def _birth(pid: int) -> str | None:
    """Read when a process started, in ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Processes:
    """All processes of one bed, by name; safe to ask and to start again."""

    def __init__(self, settings: Settings) -> None:
        """Take the folders of pid files and logs from the settings."""
        self.settings = settings
        self._pids = settings.run / "pids"
        self._logs = settings.run / "logs"

    def log(self, name: str) -> Path:
        """Give the log file of a process or of a command."""
        return self._logs / f"{name}.out"

    def names(self, prefix: str = "") -> list[str]:
        """List every process that has a pid file, dead ones too."""
        found = (path.stem for path in self._pids.glob("*.pid"))
        return sorted(name for name in found if name.startswith(prefix))

    def pid(self, name: str) -> int | None:
        """Give a process's id, or None when it does not run.

        A pid file may outlive a reboot, so the process's start time must match too.
        """
        file = self._pids / f"{name}.pid"
        try:
            pid = int(file.read_text())
            born = Path(f"{file}.start").read_text()
        except (OSError, ValueError):
            return None
        return pid if born == _birth(pid) else None

    def start(
        self,
        name: str,
        command: Sequence[object],
        *,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> bool:
        """Start a process unless it runs; BedError when a stranger has its port."""
        if self.pid(name):
            return False
        if port is not None:
            self._refuse_stranger(name, port)
        self._pids.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        nice = ["nice", "-n", str(self.settings.nice)]
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [*nice, *map(str, command)],
                env=self._environment(environment),
                cwd=folder or self.settings.run,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        file = self._pids / f"{name}.pid"
        Path(f"{file}.start").write_text(_birth(process.pid) or "")
        file.write_text(str(process.pid))
        # The process shall outlive this object: it is not to be waited for.
        process.returncode = 0
        return True

    def serve(
        self,
        name: str,
        application: str,
        port: int,
        environment: Mapping[str, str] | None = None,
        arguments: str = "",
    ) -> bool:
        """Start a WSGI application in a process of its own (see serve.py)."""
        # -P: the modules beside serve.py must not stand for packages of the same name.
        command = [
            *(self.settings.bin / "python", "-P", Path(__file__).with_name("serve.py")),
            *("--app", application, "--bind", f"{self.settings.address}:{port}"),
            *("--threads", str(self.settings.threads), f"--pyargv={arguments}"),
            f"--access-log={self._logs / name}.access",
        ]
        return self.start(name, command, port=port, environment=environment)

    def stop(self, names: Iterable[str], grace: float = 15) -> None:
        """Stop processes by pid file, and what is left of the session each one leads."""
        wanted = list(names)
        pids = {name: pid for name in wanted if (pid := self.pid(name))}
        for pid in pids.values():
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while time.monotonic() < end and any(self.pid(name) for name in pids):
            time.sleep(0.1)
        for pid in pids.values():
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for name in wanted:
            (self._pids / f"{name}.pid").unlink(missing_ok=True)
            (self._pids / f"{name}.pid.start").unlink(missing_ok=True)

    def run(
        self,
        command: Sequence[object],
        *,
        log: str = "setup",
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command to its end; BedError with the log's name when it fails."""
        self._logs.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        with self.log(log).open("ab") as file:
            file.write(f"\n$ {' '.join(words)}\n".encode())
            file.flush()
            status = subprocess.run(
                words,
                check=False,
                env=self._environment(environment),
                stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or file,
                stderr=file,
            ).returncode
        if status:
            message = f"{Path(words[0]).name} failed with status {status}; see {self.log(log)}"
            raise BedError(message)

    def wait_for_http(self, url: str, name: str, timeout: float = 120) -> None:
        """Wait until any HTTP answer comes; BedError when the process dies or time is up."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(url, timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                self.require(name)
                time.sleep(0.2)
            else:
                return
        message = f"no answer from {url} in {timeout:.0f} s; see {self.log(name)}"
        raise BedError(message)

    def require(self, *names: str) -> None:
        """Raise a BedError when one of the processes is dead."""
        for name in names:
            if not self.pid(name):
                message = f"{name} died; see {self.log(name)}"
                raise BedError(message)

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if not key.startswith(_FOREIGN)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        kept.pop("PYTHONPATH", None)
        path = f"{self.settings.bin}:{kept.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
        fixed = {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
        return {**kept, **fixed, **(more or {})}

    def _refuse_stranger(self, name: str, port: int) -> None:
        try:
            socket.create_connection((self.settings.address, port), 1).close()
        except OSError:
            return
        message = (
            f"port {port} of {name} is taken by another program, perhaps another bed: "
            "choose TRIO2O_PODS_BASE to use it or TRIO2O_PODS_PORT_BASE for other ports"
        )
        raise BedError(message)
