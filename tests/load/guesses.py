"""Guess ids that nobody has, as fast as they are answered."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from control_plane.directory.allowance import BURST, PER_SECOND
from tests.load.client import Connection

_SERVERS = "/compute/v2.1/servers"
#: The number of the guesser's project: of eight the last, so that few others have no part in it.
PROJECT = 7


@dataclass(slots=True)
class Guesses:
    """One project's guesses over a few connections."""

    #: By status: 404 of a pod, or 429 with a Retry-After.
    answers: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    seconds: float = 0.0

    async def run(self, port: int, count: int, connections: int) -> None:
        """Send so many."""
        start = time.monotonic()
        end = self.answers.total() + count
        await asyncio.gather(*(self._walk(port, end, number) for number in range(connections)))
        self.seconds += time.monotonic() - start

    def allowed(self, workers: int) -> float:
        """Say how many of them all pods may be asked about: each worker counts for itself."""
        return workers * (BURST + PER_SECOND * (self.seconds + 1))

    async def _walk(self, port: int, end: int, seed: int) -> None:
        choose = random.Random(seed)
        async with Connection(port, PROJECT) as connection:
            while self.answers.total() < end:
                known = f"{choose.getrandbits(128):032x}"
                guess = f"{known[:8]}-{known[8:12]}-{known[12:16]}-{known[16:20]}-{known[20:]}"
                answer = await connection.ask("GET", f"{_SERVERS}/{guess}")
                self.answers[answer.status] += 1
                refused = answer.status == 429 and "retry-after" in answer.headers
                if answer.status != 404 and not refused:
                    self.unexpected.append(f"{guess}: {answer.status} {answer.body[:200]!r}")
