"""A known id at 1, 32 and 256 connections, by HTTP/1.1 and HTTP/2, with and without TLS."""

from contextlib import ExitStack
from pathlib import Path

from tests.bench import envoys
from tests.bench.gateway import gateway_of, pod_definition
from tests.bench.load import Request, flood, full, numbered
from tests.bench.machine import Process
from tests.bench.rounds import Figures, Goal, Result, Variant, interleave
from tests.bench.scale import Scale
from tests.load.entrance import Certificate

_CONNECTIONS = (1, 32, 256)
#: Streams of an HTTP/2 connection; 0 is HTTP/1.1.
_STREAMS = {"HTTP/1.1": 0, "HTTP/2": 8}
#: Of first touch, one figure a protocol: HTTP/2's load generator asks for the same ids on each
#: connection, so that only HTTP/1.1 has many.
_FIRST = 32
_A_ROUND = 60_000
_KNOWN = 1
#: Requests of a round to a second of the scale.
_A_SECOND = 3_000


def run(folder: Path, scale: Scale) -> Result:
    """Measure without TLS, then with it; bare Envoy beside the gateway each time."""
    result = Result("protocols")
    certificate = Certificate.of(folder)
    for tls in (False, True):
        part = folder / ("tls" if tls else "plain")
        part.mkdir()
        found = _measure(part, scale, certificate if tls else None)
        result.variants |= found.variants
        result.neighbours = max(result.neighbours, found.neighbours)
    for name in list(result.variants):
        against, _, way = name.partition(" ")
        if against != "bare":
            bound = 0.75 if against == "known" else 0.20
            ratio = result.ratio(name, to=f"bare {way}")
            result.goals.append(Goal(f"{against} / bare, {way}", ratio, bound, most=False))
        if against == "known":
            cpu = _cpu(result, name) / _cpu(result, f"bare {way}")
            result.goals.append(Goal(f"known, CPU / bare, {way}", cpu, 1.35))
    result.facts["failed"] = {
        name: figures["failed"].median for name, figures in result.variants.items()
    }
    result.notes.append("HTTP/2: eight streams a connection, in bare Envoy too")
    return result


def _measure(folder: Path, scale: Scale, certificate: Certificate | None) -> Result:
    settings = certificate.settings if certificate else {}
    scheme, security = ("https", " with TLS") if certificate else ("http", "")
    with ExitStack() as stack:
        pods = stack.enter_context(envoys.pods(folder, [100]))
        pair = certificate.pair if certificate else None
        bare = stack.enter_context(envoys.bare(folder, pods, pair))
        definition = pod_definition(0, pods, ("compute", "image"))
        under_test = stack.enter_context(gateway_of(folder / "gateway", [definition], **settings))
        count = int(_A_SECOND * scale.seconds)
        fresh = iter(range(_A_ROUND, 1 << 30, _A_ROUND))
        direct = Request(f"/pod0/v2.1/servers/{numbered(_KNOWN)}")
        known = Request(f"/compute/v2.1/servers/{numbered(_KNOWN)}/ips")
        ours = f"{scheme}://127.0.0.1:{under_test.place.port}"
        own = f"{scheme}://127.0.0.1:{bare.port}"

        def first() -> Figures:
            start = next(fresh)
            under_test.own(start, _A_ROUND)
            request = Request("/compute/v2.1/servers/{id}/ips")
            processes = under_test.processes
            return full(ours, request, scale.seconds, processes, _FIRST, start=start)

        def variant(
            name: str, url: str, request: Request, processes: list[Process], way: tuple[int, int]
        ) -> Variant:
            connections, streams = way
            return Variant(
                name, lambda: flood(url, request, count, processes, connections, streams)
            )

        under_test.own(_KNOWN, 1)
        flood(ours, known, 100, under_test.processes, 8)
        variants = []
        for protocol, streams in _STREAMS.items():
            for connections in _CONNECTIONS:
                name = f"{protocol}{security}, {connections}"
                way = connections, streams
                variants += [
                    variant(f"bare {name}", own, direct, [bare.process], way),
                    variant(f"known {name}", ours, known, list(under_test.processes), way),
                ]
        variants.append(Variant(f"first HTTP/1.1{security}, {_FIRST}", first))
        return interleave("protocols", variants, scale.rounds)


def _cpu(result: Result, variant: str) -> float:
    """Add up what bare Envoy, or the gateway's processes, used, seconds per 10,000 requests."""
    figures = result.variants[variant]
    return sum(figure.median for name, figure in figures.items() if name.startswith("cpu "))
