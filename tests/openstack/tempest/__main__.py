"""The judge: `python -m tests.openstack.tempest`: the same tests at a pod and at the gateway.

What passes straight at the first pod and not through the gateway in front of two is lost, unless
`known.txt` says why one cloud of many cannot have it. The straight run is kept below the bed's
folder and used again while pods, tests and configuration are the same.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.demo.product import Product
from tests.openstack import bed, health, installation
from tests.openstack.client import send
from tests.openstack.pod import Pod
from tests.openstack.progress import BedError, complain, say
from tests.openstack.settings import Settings
from tests.openstack.tempest import comparison, configuration, run

_HERE = Path(__file__).parent
KNOWN, SUBSET = _HERE / "known.txt", _HERE / "subset.txt"


def results(settings: Settings) -> Path:
    """Give the folder of the results."""
    return settings.base / "tempest-results"


def straight(settings: Settings, plan: run.Plan, *, again: bool) -> Path:
    """Run a plan at its pod, or take the result of the same plan at the same pod."""
    text = configuration.text(settings, plan.region, Path("/"))
    listed = plan.listed.read_text() if plan.listed else ""
    facts = (text, run.RELEASE, plan.regex, plan.exclude, listed)
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:12]
    file = results(settings) / f"{plan.region}-{digest}.txt"
    if file.exists() and not again:
        say(f"the straight run is known: {file}")
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    # A run that was interrupted must not be taken for a result.
    draft = file.with_suffix(".part")
    run.tempest(settings, plan, draft)
    return draft.rename(file)


@contextmanager
def gateway(settings: Settings) -> Iterator[None]:
    """Have a gateway at the user region's address: the one that is there, or one of our own."""
    try:
        send("GET", f"{settings.gateway}/compute/", timeout=10)
    except OSError:
        pass
    else:
        say(f"the gateway at {settings.gateway} is used")
        yield
        return
    product = Product(settings)
    product.forget()
    product.start()
    try:
        product.wait()
        print(product.apply(), end="")
        say(f"a gateway is ready at {settings.gateway}; its log is {product.log}")
        yield
    finally:
        product.stop()


def judge(settings: Settings, plan: run.Plan, *, again: bool) -> int:
    """Run everything twice and print what differs; 1 when anything was lost."""
    base = straight(settings, plan, again=again)
    other = through(settings, plan)
    found = comparison.compare(
        comparison.read(base), comparison.read(other), comparison.read_known(KNOWN)
    )
    status = comparison.report(found)
    print(f"{len(found.passed)} passed, {len(found.lost)} failed")
    return status


def part(settings: Settings, plan: run.Plan) -> int:
    """Run the part that is known to pass straight, through the gateway only."""
    rows = comparison.read(through(settings, plan))
    failed = {name: row for name, row in rows.items() if row.state == "fail"}
    passed = sum(row.passed for row in rows.values())
    for name, row in failed.items():
        print(f"LOST  {name}  # {row.why}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


def through(settings: Settings, plan: run.Plan) -> Path:
    """Run a plan's tests through the gateway; the result of the last run is kept."""
    region = settings.user_region
    file = results(settings) / f"{region}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    with gateway(settings):
        run.tempest(settings, plan.at(region), file)
    return file


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
        pods = bed.present(settings)[:2]
        if len(pods) < 2 or not health.healthy(pods):
            installation.install(settings)
            bed.up(settings, 2)
        plan = run.Plan(
            region=Pod(settings, 1).name,
            regex=options.regex,
            exclude=options.exclude,
            listed=SUBSET if options.subset else None,
            concurrency=options.concurrency,
            limit=options.limit,
        )
        if options.subset:
            return part(settings, plan)
        return judge(settings, plan, again=options.again)
    except BedError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
