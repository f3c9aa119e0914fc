"""What the bed tells the person in front of it: progress with seconds, errors in one line."""

import sys
import time

_STARTED = time.monotonic()


class BedError(Exception):
    """The bed cannot do what was asked; the text is the one line a person sees."""


def say(text: str) -> None:
    """Print a line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:6.1f}] {text}", flush=True)


def complain(text: str) -> None:
    """Print an error on stderr."""
    print(f"error: {text}", file=sys.stderr, flush=True)
