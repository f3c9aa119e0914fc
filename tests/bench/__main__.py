"""Run benches: `python -m tests.bench [NAME…]`, by default all that take minutes.

Prints a table, writes JSON and a picture to tests/bench/results, and says what moved since the
last run. Nothing is asserted: on a machine that is too noisy it says so and judges nothing.
"""

import argparse
import importlib
import os
import shlex
import sys
import tempfile
from pathlib import Path

from tests.bench import report
from tests.bench.rounds import Result
from tests.bench.scale import Scale

BENCHES = ("routes", "textbook", "lists", "creates", "directory", "xds")
#: Needs the test bed; take as long as all others together.
_ON_REQUEST = ("openstack", "cells", "protocols", "correctness", "guesses")
_RESULTS = Path(__file__).with_name("results")


def main() -> None:
    """Run what is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--results", type=Path, default=_RESULTS)
    Scale.add_arguments(parser)
    options = parser.parse_args()
    names = options.benches or list(BENCHES)
    for name in names:
        if name not in (*BENCHES, *_ON_REQUEST):
            parser.error(f"no bench {name!r}: {', '.join((*BENCHES, *_ON_REQUEST))}")
    scale = Scale.of(options)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}", flush=True)
    results: list[Result] = []
    for name in names:
        print(f"-- {name} ...", file=sys.stderr, flush=True)
        bench = importlib.import_module(f"tests.bench.suite.{name}")
        with tempfile.TemporaryDirectory(prefix="trio2o-bench-") as folder:
            results.append(bench.run(Path(folder), scale))
        print(report.table(results[-1]), flush=True)
    found = report.document(results, shlex.join(["python", "-m", "tests.bench", *sys.argv[1:]]))
    for line in report.changes(report.previous(options.results), found):
        print(f"moved: {line}")
    path = report.store(options.results, found)
    print(f"written: {path}")
    try:
        from tests.bench.plot import draw  # noqa: PLC0415 - matplotlib is an extra
    except ImportError:
        print("no picture: pip install 'trio2o[bench]'")
    else:
        draw(found, path.with_suffix(".svg"))
        print(f"drawn: {path.with_suffix('.svg')}")


if __name__ == "__main__":
    main()
