"""Work that goes on after a client has its answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Later:
    """Runs coroutines to their end; one that fails is logged, since nobody waits for it."""

    def __init__(self) -> None:
        """Start with nothing to do."""
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin; `name` is the event's name in the log should it fail."""
        task = asyncio.create_task(self._logged(name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever it was, nobody else can tell of it
            log.warning(name, error=str(error))

    async def finish(self) -> None:
        """Wait until nothing is left to do."""
        while self._tasks:
            await asyncio.wait(self._tasks)
