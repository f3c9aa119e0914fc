"""A request about one resource: its owner in memory, or only in the database."""

from pathlib import Path

from control_plane.xds.module import built_module
from tests.bench import envoys
from tests.bench.gateway import gateway
from tests.bench.load import Request, full, numbered, paced
from tests.bench.rounds import BARE, Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale

#: Ids a round may use up; more than any rate here asks for.
_A_ROUND = 60_000
_KNOWN = 1


def run(folder: Path, scale: Scale) -> Result:
    """Measure, then ask for new ids at half the rate that was reached."""
    with (
        envoys.pods(folder, [100]) as pods,
        envoys.bare(folder, pods) as bare,
        gateway(folder / "gateway", pods, 1) as under_test,
    ):
        url, processes = under_test.place.url, [*under_test.processes, pods.process]
        fresh = iter(range(_A_ROUND, 1 << 30, _A_ROUND))

        def direct(connections: int = scale.connections, pace: float = 0.0) -> Figures:
            request = Request(f"/pod0/v2.1/servers/{numbered(_KNOWN)}")
            found = [bare.process, pods.process]
            if pace:
                return paced(bare.url, request, pace, scale.seconds, found)
            return full(bare.url, request, scale.seconds, found, connections)

        def known(below: str, connections: int = scale.connections) -> Figures:
            request = Request(f"/compute/v2.1/servers/{numbered(_KNOWN)}{below}")
            return full(url, request, scale.seconds, processes, connections)

        def first(connections: int = scale.connections, pace: float = 0.0) -> Figures:
            start = next(fresh)
            under_test.own(start, _A_ROUND)
            request = Request("/compute/v2.1/servers/{id}/ips")
            if pace:
                return paced(url, request, pace, scale.seconds, processes, start)
            return full(url, request, scale.seconds, processes, connections, start)

        under_test.own(_KNOWN, 1)
        known("")
        result = interleave(
            "routes",
            [
                Variant(BARE, direct),
                Variant("known", lambda: known("/ips")),
                Variant("known show", lambda: known("")),
                Variant("first touch", first),
            ],
            scale.rounds,
        )
        alone = interleave(
            "routes",
            [
                Variant(BARE, lambda: direct(1)),
                Variant("known", lambda: known("/ips", 1)),
                Variant("known show", lambda: known("", 1)),
                Variant("first touch", lambda: first(1)),
            ],
            scale.rounds,
        )
        half = result.figure("first touch", "rate") / 2
        at_half = interleave(
            "routes",
            [
                Variant(BARE, lambda: direct(pace=half)),
                Variant("first touch", lambda: first(pace=half)),
            ],
            scale.rounds,
        )
        result.facts["first touch at half load"] = {
            name: at_half.figure("first touch", name)
            for name in ("rate", "p50", "p95", "p99", "max", "failed")
        }
        result.facts["bare at that load, p50"] = at_half.figure(BARE, "p50")
        result.facts["one connection, p50"] = {
            name: alone.figure(name, "p50") for name in alone.variants
        }
        result.facts["memory MiB"] = {entry.name: entry.peak for entry in processes}
    result.goals += [
        Goal("known / bare", result.ratio("known"), 0.75, most=False),
        Goal("known show / bare", result.ratio("known show"), 0.75, most=False),
        *(
            goal
            for name in ("known", "known show")
            for goal in (
                Goal(f"{name}, CPU / bare", _cpu(result, name) / _cpu(result, BARE), 1.35),
                Goal(f"{name}, one connection, added p50", _added(alone, name), 0.02, "ms"),
            )
        ),
        Goal("first touch / bare", result.ratio("first touch"), 0.20, most=False),
        *(
            Goal(f"first touch, {where}, added p50", _added(found, "first touch"), 1.0, "ms")
            for where, found in (("one connection", alone), ("half load", at_half))
        ),
        Goal("first touch p99 at half load", at_half.figure("first touch", "p99"), 10.0, "ms"),
    ]
    result.notes += [
        f"known ids are decided {'by the module' if built_module() else 'in Lua'}",
        "known: GET /servers/ID/ips, which passes as the pod answers it",
        "known show: GET /servers/ID, whose answer is put into the users' words",
        "first touch: /ips of an id that only the database knows, another each time",
    ]
    return result


def _added(result: Result, name: str) -> float:
    """Give what the gateway adds to the median latency, in ms."""
    return result.figure(name, "p50") - result.figure(BARE, "p50")


def _cpu(result: Result, variant: str) -> float:
    """Add up what the gateway's own processes used, seconds per 10,000 requests."""
    figures = result.variants[variant]
    return sum(
        figure.median
        for name, figure in figures.items()
        if name.startswith("cpu ") and name != "cpu pods"
    )
