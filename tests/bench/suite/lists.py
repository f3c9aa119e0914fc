"""A list of servers over many pods that answer at once; and the memory it takes."""

import http.client
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from control_plane.lists.batch import share
from tests.bench import envoys
from tests.bench.envoys import Place
from tests.bench.gateway import gateway
from tests.bench.machine import Process
from tests.bench.rounds import BARE, Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale

_THOUSAND = 1_000
#: (name, pods, servers a pod, what pods cut pages to, the goal for the median in ms). Pods cut
#: pages to what the gateway asks them for; those that are `deaf` send all they have. Where one pod
#: has all of a project, the goal is of the rate beside bare Envoy's for the same answer.
_SHAPES = (
    ("1x100", 1, 100, (), None),
    ("1x5", 1, 5, (), None),
    ("20x100", 20, 100, (share(_THOUSAND, 20),), 25.0),
    ("5x1000", 5, 1_000, (share(_THOUSAND, 5),), 40.0),
    ("5x1000 deaf", 5, 1_000, (), 40.0),
)
#: What the gateway asks one, ten and a hundred pods for.
_ASKED = tuple(share(_THOUSAND, pods) for pods in (1, 10, 100))
_WARM = 3


class Reader:
    """Asks for a list over one kept-alive connection."""

    def __init__(self, url: str, path: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._path = path

    def ask(self) -> tuple[float, float, int]:
        """Give ms to the first byte, ms to the last, and the size."""
        start = time.perf_counter()
        self._connection.request("GET", self._path, headers={"x-auth-token": "user"})
        answer = self._connection.getresponse()
        first = time.perf_counter()
        size = 0
        while piece := answer.read(1 << 18):
            size += len(piece)
        last = time.perf_counter()
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"error: {self._path} answered {answer.status}")
        return (first - start) * 1000, (last - start) * 1000, size


def run(folder: Path, scale: Scale) -> Result:
    """Measure each shape, then the memory of lists that grow."""
    with ExitStack() as stack:
        variants: list[Variant] = []
        for name, count, size, limits, _ in _SHAPES:
            here = folder / name.replace(" ", "-")
            here.mkdir()
            pods = stack.enter_context(envoys.pods(here, [size] * count, limits))
            bare = stack.enter_context(envoys.bare(here, pods))
            under_test = stack.enter_context(gateway(here / "gateway", pods, count))
            one = f"{BARE} of {name}"
            variants += [
                _variant(one, bare, "/pod0/v2.1/servers/detail", [bare.process], scale),
                _variant(
                    name,
                    under_test.place,
                    "/compute/v2.1/servers/detail",
                    [*under_test.processes, pods.process],
                    scale,
                ),
            ]
        result = interleave("lists", variants, scale.rounds)
    for name, *_, bound in _SHAPES:
        if bound is not None:
            result.goals.append(Goal(f"{name} p50", result.figure(name, "p50"), bound, "ms"))
        else:
            routed = result.ratio(name, to=f"{BARE} of {name}")
            result.goals.append(Goal(f"{name} / bare", routed, 0.70, most=False))
    result.facts["memory"] = _memory(folder, scale)
    result.notes += [
        "one client, one list after the other; bare: one pod's own part through bare Envoy",
        "a page has 1,000 servers at most, as in Nova",
    ]
    return result


def _variant(name: str, place: Place, path: str, processes: list[Process], scale: Scale) -> Variant:
    reader = Reader(place.url, path)
    for _ in range(_WARM):
        reader.ask()

    def measure() -> Figures:
        before = [process.cpu for process in processes]
        end = time.monotonic() + scale.seconds
        found: list[tuple[float, float, int]] = []
        while time.monotonic() < end:
            found.append(reader.ask())
        whole = sorted(entry[1] for entry in found)
        first = sorted(entry[0] for entry in found)
        return {
            "rate": len(found) / sum(whole) * 1000,
            "first byte": first[len(first) // 2],
            "p50": whole[len(whole) // 2],
            "p95": whole[len(whole) * 95 // 100],
            "KB": found[0][2] / 1024,
            **{
                f"cpu ms {process.name}": (process.cpu - was) / len(found) * 1000
                for process, was in zip(processes, before, strict=True)
            },
        }

    return Variant(name, measure)


def _memory(folder: Path, scale: Scale) -> list[dict[str, Any]]:
    """Ask fleets of more and more pods, a thousand servers each, for a page and for all pages."""
    rows = []
    servers = _THOUSAND
    while servers <= scale.servers:
        count = servers // _THOUSAND
        here = folder / f"memory-{count}"
        here.mkdir()
        with (
            # A fleet's pods share ten pages: what the control plane holds is the same.
            envoys.pods(here, [_THOUSAND] * min(count, 10), _ASKED) as pods,
            gateway(here / "gateway", pods, count, ("compute",), min(count, 10)) as under_test,
        ):
            reader = Reader(under_test.place.url, "/compute/v2.1/servers/detail")
            worker = under_test.workers[0]
            before = worker.memory
            worker.forget_peak()
            _, last, size = reader.ask()
            rows.append(
                {
                    "servers": servers,
                    "pods": count,
                    "before MiB": before,
                    "peak MiB": worker.peak,
                    "ms": last,
                    "KB": size / 1024,
                }
            )
        servers *= 10
    return rows
