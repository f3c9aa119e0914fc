"""Publishing when something changed: at once, but not more often than Envoys gain from."""

import asyncio
from collections.abc import Callable

#: How long what changes after a publication waits for what else changes, seconds.
WINDOW = 0.02


class Publication:
    """Publishes for all who want it within a moment, once.

    The first change goes out without delay; those that follow it within the window go out together
    at its end. `publish` must read what is to be published when it is called.
    """

    def __init__(self, publish: Callable[[], None], window: float = WINDOW) -> None:
        """Take what publishes; it runs in one event loop and never twice at once."""
        self._publish = publish
        self._window = window
        self._allowed_at = 0.0
        self._next: asyncio.Task[None] | None = None

    async def wanted(self) -> None:
        """Wait until what is true now is published; raises what `publish` raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
        # Not cancelled with one of those who wait for it.
        await asyncio.shield(self._next)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._allowed_at - loop.time()))
        # From here on a change is one for the publication after this.
        self._next = None
        self._allowed_at = loop.time() + self._window
        self._publish()
