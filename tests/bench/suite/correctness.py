"""A million requests over pods that change: every answer is from the pod that has the id.

With `--http2` and `--tls` clients come by these.
"""

import asyncio
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from tests.bench.gateway import Gateway
from tests.bench.rounds import Goal, Result
from tests.bench.scale import Scale
from tests.load.changes import Changes
from tests.load.entrance import Certificate, Entrance, entrance
from tests.load.pods import StandIn
from tests.load.product import product, wait_for_creates
from tests.load.traffic import Traffic

_PODS = 6
#: Ids of each pod that are in the database, and with those that only the pod knows.
_RECORDED, _KNOWN = 16_000, 18_000
#: The owner cache holds a part of them, so that it forgets and learns all the while.
_CACHED = 15_000
#: Connections, and their share of the requests.
_WAYS = ((1, 0.02), (32, 0.49), (256, 0.49))
#: Between one change and the next, seconds.
_PAUSE = 10.0
#: By protocol, and how often TLS was agreed on.
_COUNTED = r"^(http.ingress.downstream_(rq_http[12]_total|cx_(http2|ssl)_total))$"


def run(folder: Path, scale: Scale) -> Result:
    """Send the requests while pods are cordoned, moved, stopped and added, and workers killed."""
    result = Result("correctness")
    pods = [StandIn(folder, number) for number in range(_PODS + 1)]
    spare = pods.pop()
    certificate = Certificate.of(folder) if scale.tls else None
    settings = {
        "owner_cache": {"entries": _CACHED},
        **(certificate.settings if certificate else {}),
    }
    with (
        product(folder, pods, _RECORDED, **settings) as (gateway, fleet),
        entrance(folder, gateway.place.port, certificate, http2=scale.http2) as way,
    ):
        wait_for_creates(gateway, fleet)
        trust = certificate.context if certificate else None
        changes = Changes(gateway, fleet, _RECORDED, trust)
        traffic = Traffic(fleet, _RECORDED, _KNOWN, worker_dies=changes.worker_dies, forged=True)
        result.facts["MiB before"] = _memory(gateway)
        uvloop.run(_all(way, traffic, changes, spare, scale.requests, result))
        result.facts["MiB after"] = _memory(gateway)
        for name in ("strays", "leaks"):
            result.facts[name] = sum(pod.total(name) for pod in fleet.pods.values())
        result.facts["errors logged"] = _errors(folder)
        result.facts["requests Envoy counted"] = gateway.stats(_COUNTED)
    found = traffic.findings
    result.facts["answers"] = dict(found.answers)
    result.facts["changes"] = len(changes.done)
    result.facts["unexpected"] = found.unexpected
    wrong = found.faults + result.facts["strays"] + result.facts["leaks"]
    result.goals.append(Goal("not as it should be", wrong, 0))
    result.notes.append(
        "strays: writes and reads that a pod was asked for another's id; leaks: internal or forged"
        " headers that a pod saw"
    )
    return result


async def _all(
    way: Entrance,
    traffic: Traffic,
    changes: Changes,
    spare: StandIn,
    requests: int,
    result: Result,
) -> None:
    async def change() -> None:
        for happen in itertools.cycle(changes.all(spare)):
            await asyncio.to_thread(happen)
            await asyncio.sleep(_PAUSE)

    under_way = asyncio.create_task(change())
    for connections, share in _WAYS:
        start = time.monotonic()
        sent = traffic.findings.total
        await traffic.run(way.port, int(requests * share), connections, way.tls)
        sent = traffic.findings.total - sent
        result.facts[f"requests a second, {connections}"] = sent / (time.monotonic() - start)
        print(f"   {connections}: {traffic.findings}"[:2000], file=sys.stderr, flush=True)
        if under_way.done():
            break
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)
    if not under_way.cancelled() and (fault := under_way.exception()) is not None:
        raise fault


def _memory(gateway: Gateway) -> dict[str, Any]:
    found = {"Envoy": gateway.place.process.memory, "control plane": gateway.plane.memory}
    return found | {f"worker {n}": entry.memory for n, entry in enumerate(gateway.workers)}


def _errors(folder: Path) -> list[str]:
    """Give what the control plane logged as errors, but for workers that were killed."""
    log = (folder / "gateway" / "plane.log").read_text(encoding="utf-8", errors="replace")
    return [
        line
        for line in log.splitlines()
        if '"level": "error"' in line and "worker_ended" not in line
    ]
