"""The product as an operator runs it: a trio2o.yaml, `trio2o up`, `trio2o apply`."""

import os
import shlex
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.openstack.client import send
from tests.openstack.files import pods_file
from tests.openstack.processes import Processes
from tests.openstack.progress import BedError
from tests.openstack.settings import PASSWORD, Settings

ROOT = Path(__file__).parents[2]
NAME = "trio2o"
_READY = "http://127.0.0.1:9091/readyz"


class Product:
    """The control plane and Envoy in the background, with everything they write in one folder."""

    def __init__(self, settings: Settings) -> None:
        """Put the state beside the bed's."""
        self._settings = settings
        self.folder = settings.base / "demo"
        self.configuration = self.folder / "trio2o.yaml"
        self._processes = Processes(replace(settings, run=self.folder))
        self._program = ROOT / ".venv/bin/trio2o"

    @property
    def log(self) -> Path:
        """The log of control plane and Envoy."""
        return self._processes.log(NAME)

    def start(self) -> None:
        """Start it, afresh when it runs already: the code may have changed."""
        if not self._program.exists():
            message = f"{self._program} is missing: run `make venv`"
            raise BedError(message)
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(self._yaml())
        place = urlsplit(self._settings.gateway)
        command = [self._program, "up", "-f", self.configuration]
        self._processes.start(NAME, command, port=place.port, folder=self.folder)

    def stop(self) -> None:
        """Stop control plane and Envoy; nothing happens when they are down."""
        self._processes.stop([NAME])

    def forget(self) -> None:
        """Throw away what it has stored."""
        for file in self.folder.glob("trio2o.db*"):
            file.unlink()

    def wait(self, timeout: float = 60) -> None:
        """Wait until it says that it is ready."""
        end = time.monotonic() + timeout
        while not self._ready():
            self._processes.require(NAME)
            if time.monotonic() > end:
                message = f"{_READY} was not 200 within {timeout:.0f} s; see {self.log}"
                raise BedError(message)
            time.sleep(0.1)

    def apply(self) -> str:
        """Tell it of the bed's pods and wait until they can be used."""
        return self.command("apply", "-f", str(pods_file(self._settings)), "--wait")

    def command(self, *words: str) -> str:
        """Run `trio2o …` as the administrator and give what it printed."""
        done = subprocess.run(
            [str(self._program), *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            message = f"`trio2o {shlex.join(words)}` failed with {done.returncode}: {last}"
            raise BedError(message)
        return done.stdout

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self) -> bool:
        try:
            return send("GET", _READY, timeout=5).status == 200
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        foreign = ("OS_", "TRIO2O_")
        kept = {key: text for key, text in os.environ.items() if not key.startswith(foreign)}
        return {
            **kept,
            "TRIO2O_CONFIG": str(self.configuration),
            "OS_AUTH_URL": self._settings.keystone,
            "OS_USERNAME": "admin",
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }

    def _yaml(self) -> str:
        place = urlsplit(self._settings.gateway)
        return (
            f"region: {self._settings.user_region}\n"
            f"listen: {place.hostname}:{place.port}\n"
            "identity:\n"
            f"  auth_url: {self._settings.keystone}\n"
            "  username: gateway\n"
            f"  password: {PASSWORD}\n"
            "  project_name: service\n"
            f"database: sqlite:///{self.folder / 'trio2o.db'}\n"
        )
