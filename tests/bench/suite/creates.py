"""Creates: the pod is chosen, its answer read, the owner written before the client knows."""

import json
import time
from pathlib import Path

from tests.bench import envoys
from tests.bench.gateway import Gateway, ask, gateway, wait_until
from tests.bench.load import Request, full
from tests.bench.rounds import BARE, Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale

_BODY = json.dumps(
    {
        "server": {
            "name": "worker",
            "flavorRef": "42",
            "imageRef": "11111111-0000-4000-8000-000000000001",
            "networks": "none",
        }
    }
)
_PODS = 2


def run(folder: Path, scale: Scale) -> Result:
    """Measure one client alone, for what is added, and many, for the rate."""
    with (
        envoys.pods(folder, [10] * _PODS) as pods,
        envoys.bare(folder, pods) as bare,
        gateway(folder / "gateway", pods, _PODS) as under_test,
    ):
        wait_until(lambda: _takes(under_test), every=0.3)
        processes = [*under_test.processes, pods.process]
        direct = Request("/pod0/v2.1/servers", "POST", _BODY)
        ours = Request("/compute/v2.1/servers", "POST", _BODY)

        def of_bare(connections: int) -> Figures:
            found = [bare.process, pods.process]
            return full(bare.url, direct, scale.seconds, found, connections)

        def of_gateway(connections: int) -> Figures:
            return full(under_test.place.url, ours, scale.seconds, processes, connections)

        result = interleave(
            "creates",
            [
                Variant(BARE, lambda: of_bare(scale.connections)),
                Variant("bare alone", lambda: of_bare(1)),
                Variant("create", lambda: of_gateway(scale.connections)),
                Variant("create alone", lambda: of_gateway(1)),
            ],
            scale.rounds,
        )
        result.facts["memory MiB"] = {entry.name: entry.peak for entry in processes}
    added = result.figure("create alone", "p50") - result.figure("bare alone", "p50")
    # What one core of control plane, its workers among it, could do, were the other for all else.
    used = sum(
        middle.median
        for name, middle in result.variants["create"].items()
        if name == "cpu control plane" or name.startswith("cpu worker")
    )
    core = 10_000 / used
    result.goals += [
        Goal("added p50", added, 3.0, "ms"),
        Goal("creates a second", result.figure("create", "rate"), 1000, most=False),
        Goal("creates a core of control plane", core, 1000, "/s", most=False),
    ]
    result.notes.append("SQLite; alone: one client, one create after the other")
    return result


def _takes(under_test: Gateway) -> bool:
    """Whether all pods take creates: new pods must be compared first."""
    try:
        ask(f"{under_test.place.url}/compute/v2.1/servers", "user", "POST", json.loads(_BODY))
    except OSError:
        return False
    time.sleep(1)
    return True
