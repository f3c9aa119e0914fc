"""The bed's command: `python -m tests.openstack setup|up|down|status|running|endpoints|…`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.openstack import bed, files, installation, status
from tests.openstack.processes import Processes
from tests.openstack.progress import BedError, complain
from tests.openstack.settings import Settings
from tests.openstack.suites.run import Run
from tests.openstack.suites.suite import SUITES
from tests.openstack.tempest import comparison, judge, run

_KNOWN = Path(__file__).parent / "suites/known.txt"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.openstack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="install what the bed needs")
    up = commands.add_parser("up", help="start Keystone and N pods, and seed them")
    up.add_argument("pods", type=int, nargs="?", default=2)
    up.add_argument("--third-in-first-zone", action="store_true")
    down = commands.add_parser("down", help="stop everything, or only some (pod2, pod1-nova-api)")
    down.add_argument("only", nargs="*")
    commands.add_parser("status", help="show processes, memory and CPU time")
    commands.add_parser("running", help="exit with status 0 when anything of the bed runs")
    endpoints = commands.add_parser("endpoints", help="point the user region at a gateway")
    endpoints.add_argument("url", nargs="?", default="")
    commands.add_parser("clouds", help="write client files again and print clouds.yaml")
    tempest = commands.add_parser("tempest", help="run tempest against a region")
    tempest.add_argument("out", type=Path)
    tempest.add_argument("--region", default="Pod1")
    tempest.add_argument("--regex", default=run.EVERYTHING)
    tempest.add_argument("--exclude", default="")
    tempest.add_argument("--concurrency", type=int, default=2)
    tempest.add_argument("--limit", type=int, default=2100, help="seconds in all")
    suites = commands.add_parser("suites", help="run a client's own tests, straight and through")
    suites.add_argument("suite", choices=SUITES)
    suites.add_argument("--regex", default="")
    suites.add_argument("--concurrency", type=int, default=1)
    suites.add_argument("--limit", type=int, default=7200, help="seconds a run")
    suites.add_argument("--again", action="store_true", help="run straight anew")
    compare = commands.add_parser("compare", help="what passed in A and does not in B")
    compare.add_argument("base", type=Path)
    compare.add_argument("other", type=Path)
    return parser


def _up(settings: Settings, options: argparse.Namespace) -> None:
    installation.install(settings)
    bed.up(settings, options.pods, third_in_first_zone=options.third_in_first_zone)


def _clouds(settings: Settings) -> None:
    files.write(settings, bed.present(settings))
    print(files.clouds_file(settings).read_text(), end="")


def _endpoints(settings: Settings, options: argparse.Namespace) -> None:
    for kind, url in bed.point(settings, options.url or settings.gateway).items():
        print(f"{kind:<10} {url}")


def _tempest(settings: Settings, options: argparse.Namespace) -> int:
    plan = run.Plan(
        region=options.region,
        regex=options.regex,
        exclude=options.exclude,
        concurrency=options.concurrency,
        limit=options.limit,
    )
    return run.tempest(settings, plan, options.out)


def _suites(settings: Settings, options: argparse.Namespace) -> int:
    judge.prepare(settings)
    trial = Run(settings, SUITES[options.suite], options.regex, options.concurrency, options.limit)
    known = comparison.read_known(_KNOWN)
    return judge.judge(settings, trial, known, again=options.again)


def _compare(options: argparse.Namespace) -> int:
    base, other = comparison.read(options.base), comparison.read(options.other)
    return comparison.report(comparison.compare(base, other, {}))


def _main() -> int:
    options = _parser().parse_args()
    settings = Settings.load()
    commands: dict[str, Callable[[], int | None]] = {
        "setup": lambda: installation.install(settings),
        "up": lambda: _up(settings, options),
        "down": lambda: bed.down(settings, options.only),
        "status": lambda: print("\n".join(status.table(Processes(settings)))),
        "running": lambda: 0 if bed.running(settings) else 1,
        "endpoints": lambda: _endpoints(settings, options),
        "clouds": lambda: _clouds(settings),
        "tempest": lambda: _tempest(settings, options),
        "suites": lambda: _suites(settings, options),
        "compare": lambda: _compare(options),
    }
    return commands[options.command]() or 0


def main() -> int:
    """Run the command; one line on stderr when it cannot be done."""
    try:
        return _main()
    except BedError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
