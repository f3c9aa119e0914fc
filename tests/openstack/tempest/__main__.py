"""The judge: `python -m tests.openstack.tempest`: the same tests at a pod and at the gateway.

What passes straight at the first pod and not through the gateway in front of two is lost, unless
`known.txt` says why one cloud of many cannot have it.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.openstack.progress import BedError, complain
from tests.openstack.settings import Settings
from tests.openstack.tempest import comparison, configuration, judge, run

_HERE = Path(__file__).parent
KNOWN, SUBSET = _HERE / "known.txt", _HERE / "subset.txt"


@dataclass(frozen=True, slots=True)
class Tempest:
    """A plan's tests of tempest, at any region."""

    settings: Settings
    plan: run.Plan

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.settings.base / "tempest-results"

    def facts(self, region: str) -> tuple[str, ...]:
        """Give what makes two runs at a region the same."""
        plan = self.plan
        text = configuration.text(self.settings, region, Path("/"))
        listed = plan.listed.read_text() if plan.listed else ""
        return (text, run.RELEASE, plan.regex, plan.exclude, listed)

    def run(self, region: str, out: Path) -> None:
        """Run it at a region and write the result to a file."""
        run.tempest(self.settings, self.plan.at(region), out)


def part(settings: Settings, trial: judge.Trial) -> int:
    """Run the part that is known to pass straight, through the gateway only."""
    rows = comparison.read(judge.through(settings, trial))
    failed = {name: row for name, row in rows.items() if row.state == "fail"}
    passed = sum(row.passed for row in rows.values())
    for name, row in failed.items():
        print(f"LOST  {name}  # {row.why}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


def main() -> int:
    """Run the command; one line on stderr when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack.tempest", description=__doc__)
    parser.add_argument("--regex", default=run.EVERYTHING)
    parser.add_argument("--exclude", default="")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--limit", type=int, default=3600, help="seconds a run")
    parser.add_argument("--again", action="store_true", help="run straight anew")
    parser.add_argument("--subset", action="store_true", help="a part, through the gateway only")
    options = parser.parse_args()
    try:
        settings = Settings.load()
        judge.prepare(settings)
        plan = run.Plan(
            regex=options.regex,
            exclude=options.exclude,
            listed=SUBSET if options.subset else None,
            concurrency=options.concurrency,
            limit=options.limit,
        )
        trial = Tempest(settings, plan)
        if options.subset:
            return part(settings, trial)
        known = comparison.read_known(KNOWN)
        return judge.judge(settings, trial, known, again=options.again)
    except BedError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
