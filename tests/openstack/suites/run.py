"""Install the suites in a virtual environment of their own and run one at a region."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.openstack.installation import CONSTRAINTS, make_environment
from tests.openstack.processes import Processes
from tests.openstack.progress import say
from tests.openstack.settings import Settings
from tests.openstack.suites import surroundings
from tests.openstack.suites.suite import SUITES, TOOLS, Suite
from tests.openstack.tempest.place import Place


@dataclass(frozen=True, slots=True)
class Run:
    """A suite's tests that a regular expression finds, at any region."""

    settings: Settings
    suite: Suite
    regex: str = ""
    #: Two at a time disturb each other: they share projects.
    concurrency: int = 1
    limit: int = 7200

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.settings.base / "suites-results" / self.suite.name

    @property
    def venv(self) -> Path:
        """The virtual environment of all suites."""
        return self.settings.base / "suites-venv"

    def facts(self, region: str) -> tuple[str, ...]:
        """Give what makes two runs at a region the same."""
        clouds = surroundings.clouds(self.settings, region)
        pinned = CONSTRAINTS.read_text()
        return (clouds, pinned, *TOOLS, self._regex, str(self.variables(region)))

    def variables(self, region: str) -> dict[str, str]:
        """Give what the suite is told by its environment."""
        own = {key: text.format(venv=self.venv) for key, text in self.suite.variables.items()}
        if self.suite.by_environment:
            own |= surroundings.variables(self.settings, region)
        return own

    def run(self, region: str, out: Path) -> None:
        """Run it at a region and write the result to a file."""
        install(self.settings, self.venv)
        surroundings.prepare(self.settings, region)
        place = Place(
            title=f"{self.suite.name}, region {region}",
            workspace=surroundings.workspace(self.settings, self.suite.name, region),
            venv=self.venv,
            variables=self.variables(region),
        )
        out.write_text(place.result(place.run(self._command(), self.limit)))

    @property
    def _regex(self) -> str:
        return self.regex or self.suite.regex

    def _command(self) -> list[str]:
        top = packages(self.venv)
        tests = top / self.suite.package.replace(".", "/")
        return [
            str(self.venv / "bin/stestr"),
            f"--test-path={tests}",
            f"--top-dir={top}",
            "run",
            f"--concurrency={self.concurrency}",
            self._regex,
        ]


def packages(folder: Path) -> Path:
    """Give a virtual environment's site-packages."""
    [found] = (folder / "lib").glob("python3*/site-packages")
    return found


def install(settings: Settings, folder: Path) -> None:
    """Install all suites with pinned versions; quick when they are there."""
    wanted = [*(suite.distribution for suite in SUITES.values()), *TOOLS]
    stamp = folder / ".suites"
    text = "\n".join(wanted) + CONSTRAINTS.read_text()
    if stamp.exists() and stamp.read_text() == text:
        return
    say(f"installing the clients' suites into {folder}")
    processes = Processes(settings)
    make_environment(settings, folder, processes)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q"]
    processes.run([*pip, "-U", "pip", "setuptools"], log="pip")
    processes.run([*pip, *wanted, "-c", CONSTRAINTS], log="pip")
    for suite in SUITES.values():
        tests = packages(folder) / suite.package.replace(".", "/")
        for name in suite.left_out:
            shutil.rmtree(tests / name, ignore_errors=True)
    stamp.write_text(text)
