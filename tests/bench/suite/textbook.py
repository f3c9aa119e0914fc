"""Our processor beside the plainest one there is: what the gateway adds to ext_proc itself."""

import sys
from pathlib import Path

from tests.bench import envoys, textbook_server
from tests.bench.envoys import Place
from tests.bench.gateway import gateway
from tests.bench.load import Request, full, numbered
from tests.bench.machine import Process
from tests.bench.rounds import BARE, Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale
from tests.envoy_process import free_port


def run(folder: Path, scale: Scale) -> Result:
    """Measure bare Envoy, the textbook's server and ours on the same request."""
    port = free_port()
    command = [sys.executable, "-m", textbook_server.__name__, str(port)]
    with (
        envoys.pods(folder, [10]) as pods,
        envoys.bare(folder, pods) as bare,
        envoys.running("textbook", command, port, folder / "textbook.log") as server,
        envoys.processed(folder, pods, port) as textbook,
        gateway(folder / "gateway", pods, 1) as ours,
    ):
        ours.own(1, 1)
        below = f"v2.1/servers/{numbered(1)}/ips"

        def load(place: Place, path: str, *processes: Process) -> Figures:
            return full(place.url, Request(path), scale.seconds, processes, scale.connections)

        result = interleave(
            "textbook",
            [
                Variant(BARE, lambda: load(bare, f"/pod0/{below}", bare.process)),
                Variant(
                    "textbook",
                    lambda: load(textbook, f"/pod0/{below}", textbook.process, server.process),
                ),
                Variant("ours", lambda: load(ours.place, f"/compute/{below}", *ours.processes)),
            ],
            scale.rounds,
        )
    result.facts["textbook / bare"] = result.ratio("textbook")
    result.goals.append(
        Goal("ours / textbook", result.ratio("ours", to="textbook"), 1.0, most=False)
    )
    return result
