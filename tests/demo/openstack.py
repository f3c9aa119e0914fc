"""The real `openstack` client, from the bed's virtual environment, as one user."""

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.demo.walk import NotProved, Walk
from tests.openstack.settings import PASSWORD, Settings

#: The first microversion with tags at creation.
TAGS = ("--os-compute-api-version", "2.90")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    error: str


class OpenStack:
    """Runs commands in the user region, and shows each one in the walk."""

    def __init__(self, settings: Settings, walk: Walk, user: str = "demo") -> None:
        """Take Keystone and the region from the bed."""
        self._program = str(settings.bin / "openstack")
        self._walk = walk
        kept = {key: text for key, text in os.environ.items() if not key.startswith("OS_")}
        self._environment = {
            **kept,
            "PYTHONWARNINGS": "ignore",
            "OS_AUTH_URL": settings.keystone,
            "OS_USERNAME": user,
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": user,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": settings.user_region,
        }

    def attempt(self, *words: str) -> Outcome:
        """Run a command that may fail."""
        self._walk.ran(f"openstack {shlex.join(words)}")
        done = subprocess.run(
            [self._program, *words],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        return Outcome(done.returncode, done.stdout, done.stderr.strip())

    def run(self, *words: str) -> str:
        """Run a command that must succeed and give what it printed."""
        outcome = self.attempt(*words)
        if outcome.status:
            last = (outcome.error.splitlines() or ["no message"])[-1]
            message = f"`openstack {shlex.join(words)}` failed: {last}"
            raise NotProved(message)
        return outcome.out

    def json(self, *words: str) -> Any:
        """Run a command that must succeed and give its answer as JSON."""
        return json.loads(self.run(*words, "-f", "json"))

    def column(self, name: str, words: Sequence[str]) -> list[Any]:
        """Give one column of a list, in the list's order."""
        return [row[name] for row in self.json(*words)]
