"""Install tempest in a virtual environment of its own, run it, and keep one line a test."""

from dataclasses import dataclass, replace
from pathlib import Path

from tests.openstack.installation import make_environment
from tests.openstack.processes import Processes
from tests.openstack.progress import say
from tests.openstack.settings import Settings
from tests.openstack.tempest import configuration
from tests.openstack.tempest.place import Place

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
    workspace = settings.base / f"tempest-{plan.region}"
    if not (workspace / ".stestr").is_dir():
        # By default tempest keeps one list of workspaces a user, in which names of two beds clash.
        registry = ["--workspace-path", str(settings.base / "tempest-workspaces.yaml")]
        init = [folder / "bin/tempest", "init", *registry, workspace]
        processes.run(init, log="tempest")
    configuration.write(settings, plan.region, workspace)
    place = Place(f"tempest, region {plan.region}", workspace, folder)
    status = place.run(_command(folder, plan), plan.limit)
    out.write_text(place.result(status))
    return status


def _command(folder: Path, plan: Plan) -> list[str]:
    words = [str(folder / "bin/tempest"), "run", "--concurrency", str(plan.concurrency)]
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
