"""The real pods of the test bed: a list through the gateway beside each pod's own time.

Needs `make demo` or `make pods` and a gateway; `TRIO2O_BENCH_GATEWAY` and `TRIO2O_BENCH_PODS` say
where they are if not where the demo puts them.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench.bed import under_test
from tests.bench.lists import Target, token
from tests.bench.rounds import Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale
from tests.openstack.settings import Settings

_GATEWAY = "http://127.0.0.1:8080/compute"
_PODS = "http://127.0.0.1:15174 http://127.0.0.1:15274"
_IDENTITY = "http://127.0.0.1:15000/v3"
_PATH = "/v2.1/servers/detail"
_ASKED = 10


def run(folder: Path, scale: Scale) -> Result:
    """Ask each pod and the gateway in turn."""
    secret = token(os.environ.get("TRIO2O_BENCH_IDENTITY", _IDENTITY), "demo", "labsecret", "demo")
    pods = os.environ.get("TRIO2O_BENCH_PODS", _PODS).split()
    targets = [Target(f"pod {number}", url, _PATH, secret) for number, url in enumerate(pods, 1)]
    gateway = Target("gateway", os.environ.get("TRIO2O_BENCH_GATEWAY", _GATEWAY), _PATH, secret)
    result = interleave(
        "openstack",
        [
            *(Variant(entry.name, partial(_measure, [entry])) for entry in [*targets, gateway]),
            Variant("pods at once", partial(_measure, targets)),
        ],
        scale.rounds,
        under_test(Settings.load()),
    )
    slowest = max(result.figure(entry.name, "p50") for entry in targets)
    at_once = result.figure("pods at once", "p50")
    listed = result.figure("gateway", "p50")
    result.goals += [
        Goal("gateway / slowest pod", listed / slowest, 1.1),
        Goal("gateway / slowest of pods asked at once", listed / at_once, 1.1),
    ]
    result.notes.append("pods on one machine are slower when they are asked at once")
    return result


def _measure(targets: list[Target]) -> Figures:
    """Ask all at once, again and again; what the slowest took, in ms."""
    for target in targets:
        target.milliseconds.clear()
    with ThreadPoolExecutor(len(targets)) as threads:
        for _ in range(_ASKED):
            list(threads.map(Target.ask, targets))
    slowest = [max(times) for times in zip(*(t.milliseconds for t in targets), strict=True)]
    return {
        "p50": median(slowest),
        "max": max(slowest),
        "items": float(sum(target.items for target in targets)),
    }
