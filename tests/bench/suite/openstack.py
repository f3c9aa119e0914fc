"""The real pods of the test bed: a list through the gateway beside each pod's own time.

Needs `make demo` or `make pods` and a gateway; `TRIO2O_BENCH_GATEWAY` and `TRIO2O_BENCH_PODS` say
where they are if not where the demo puts them.
"""

import os
from functools import partial
from pathlib import Path

from tests.bench.lists import Target, token
from tests.bench.rounds import Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale

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
        [Variant(entry.name, partial(_measure, entry)) for entry in [*targets, gateway]],
        scale.rounds,
    )
    slowest = max(result.figure(entry.name, "p50") for entry in targets)
    result.goals.append(
        Goal("gateway / slowest pod", result.figure("gateway", "p50") / slowest, 1.1)
    )
    return result


def _measure(target: Target) -> Figures:
    target.milliseconds.clear()
    for _ in range(_ASKED):
        target.ask()
    return {
        "p50": target.median,
        "max": max(target.milliseconds),
        "items": float(target.items),
    }
