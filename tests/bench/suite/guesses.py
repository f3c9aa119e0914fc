"""A million ids that nobody has, of one project, while another's known ids are asked for."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvloop

from tests.bench.gateway import Gateway
from tests.bench.rounds import Goal, Result
from tests.bench.scale import Scale
from tests.load.guesses import Guesses
from tests.load.pods import StandIn
from tests.load.product import product, wait_for_creates
from tests.load.traffic import Traffic

_PODS = 4
_RECORDED = 2_000
#: Guesses before memory is looked at: what any request makes a process load is no cost of theirs.
_FIRST = 5_000
#: One request of others to so many guesses, over connections whose projects are others.
_OTHERS = 20
_CONNECTIONS, _OTHER_CONNECTIONS = 32, 4
#: In the second half of them, when allocators have what they need for so much traffic.
_GROWN_MIB = 10


def run(folder: Path, scale: Scale) -> Result:
    """Guess, and say who was asked, who answered, and what memory it took."""
    result = Result("guesses")
    pods = [StandIn(folder, number) for number in range(_PODS)]
    with product(folder, pods, _RECORDED) as (gateway, fleet):
        wait_for_creates(gateway, fleet)
        others = Traffic(fleet, _RECORDED, _RECORDED)
        guesses = Guesses()
        port = gateway.place.port
        uvloop.run(Guesses().run(port, _FIRST, _CONNECTIONS))
        before = _memory(gateway)
        probes = sum(pod.total("probes") for pod in pods)
        for process in gateway.processes:
            process.forget_peak()

        async def load(count: int) -> None:
            await asyncio.gather(
                guesses.run(port, count, _CONNECTIONS),
                others.run(port, count // _OTHERS, _OTHER_CONNECTIONS),
            )

        uvloop.run(load(scale.requests // 2))
        midway = _memory(gateway)
        uvloop.run(load(scale.requests // 2))
        asked = sum(pod.total("probes") for pod in pods) - probes
        after, peaks = _memory(gateway), {entry.name: entry.peak for entry in gateway.processes}
        workers = len(gateway.workers)
    print(f"   {guesses.answers} {others.findings}"[:2000], file=sys.stderr, flush=True)
    result.facts |= {
        "MiB before": before,
        "MiB midway": midway,
        "MiB at most": peaks,
        "MiB after": after,
        "answers": {str(status): count for status, count in guesses.answers.items()},
        "answers of others": dict(others.findings.answers),
        "seconds": guesses.seconds,
        "asks to pods": asked,
        "unexpected": [*guesses.unexpected, *others.findings.unexpected][:20],
    }
    wrong = len(guesses.unexpected) + others.findings.faults
    grown = max(after[name] - was for name, was in midway.items())
    result.goals += [
        Goal("not as it should be", wrong, 0),
        # Each pod once, and one again for its words to the client.
        Goal("asks to pods", asked, (_PODS + 1) * guesses.allowed(workers)),
        Goal("in the second half a process grew by", grown, _GROWN_MIB, "MiB"),
    ]
    return result


def _memory(gateway: Gateway) -> dict[str, Any]:
    return {entry.name: entry.memory for entry in gateway.processes}
