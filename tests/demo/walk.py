"""The frame of the demo: numbered steps, each of which runs something and proves something."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_BOLD, _GREEN, _PLAIN = "\033[1m", "\033[32m", "\033[0m"


class NotProved(Exception):
    """A step's promise did not hold; the text says which."""


class Walk:
    """Counts the steps and prints them; a step that proves nothing is a mistake."""

    def __init__(self, *, colours: bool) -> None:
        """Start before the first step."""
        self.steps = 0
        self.proofs = 0
        self._colours = colours
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step; NotProved when it ends without a proof."""
        self.steps += 1
        proofs = self.proofs
        print(f"\n{self._paint(_BOLD, f'{self.steps:2d}. {title}')}", flush=True)
        yield
        if self.proofs == proofs:
            message = f"step {self.steps} ({title}) proved nothing"
            raise NotProved(message)

    def ran(self, command: str) -> None:
        """Show a command or a request."""
        print(f"      $ {command}", flush=True)

    def prove(self, promise: str, *, holds: bool, found: object = "") -> None:
        """Show what was proved, or stop the walk when it does not hold."""
        if not holds:
            message = f"step {self.steps}: it is not so that {promise}"
            raise NotProved(f"{message}; found: {found}" if found != "" else message)
        self.proofs += 1
        print(f"      {self._paint(_GREEN, '✓')} {promise}", flush=True)

    def summary(self) -> str:
        """Say how many steps there were."""
        seconds = time.monotonic() - self._started
        return f"{self.steps} steps, all proved ({self.proofs} proofs, {seconds:.0f} s)"

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text
