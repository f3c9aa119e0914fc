"""A request about one resource: its owner in memory, or only in the database."""

from pathlib import Path

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

        def direct(connections: int = scale.connections) -> Figures:
            request = Request(f"/pod0/v2.1/servers/{numbered(_KNOWN)}")
            found = [bare.process, pods.process]
            return full(bare.url, request, scale.seconds, found, connections)

        def known(below: str, connections: int = scale.connections) -> Figures:
            request = Request(f"/compute/v2.1/servers/{numbered(_KNOWN)}{below}")
            return full(url, request, scale.seconds, processes, connections)

        def first() -> Figures:
            start = next(fresh)
            under_test.own(start, _A_ROUND)
            request = Request("/compute/v2.1/servers/{id}/ips")
            return full(url, request, scale.seconds, processes, scale.connections, start=start)

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
            ],
            scale.rounds,
        )
        start = next(fresh)
        under_test.own(start, _A_ROUND)
        half = result.figure("first touch", "rate") / 2
        request = Request("/compute/v2.1/servers/{id}/ips")
        at_half = paced(url, request, half, scale.seconds, start)
        result.facts["first touch at half load"] = at_half
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
                Goal(
                    f"{name}, one connection, added p50",
                    alone.figure(name, "p50") - alone.figure(BARE, "p50"),
                    0.02,
                    "ms",
                ),
            )
        ),
        Goal("first touch / bare", result.ratio("first touch"), 0.20, most=False),
        Goal("first touch p99 at half load", at_half["p99"], 10.0, "ms"),
    ]
    result.notes += [
        "known: GET /servers/ID/ips, which passes as the pod answers it",
        "known show: GET /servers/ID, whose answer is put into the users' words",
        "first touch: /ips of an id that only the database knows, another each time",
    ]
    return result


def _cpu(result: Result, variant: str) -> float:
    """Add up what the gateway's own processes used, seconds per 10,000 requests."""
    figures = result.variants[variant]
    return sum(
        figure.median
        for name, figure in figures.items()
        if name.startswith("cpu ") and name != "cpu pods"
    )
