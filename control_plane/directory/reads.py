"""The store as many requests ask it at once: one query for all that wait.

A database that answers on the spot (a file of this machine) is asked on the spot. Of another the
first id is asked for at once; those that come while it is under way share the next query, so
that queries grow with the load and not with the number of requests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

#: Ids in one query.
AT_ONCE = 500

_Future = asyncio.Future[str | None]


class PodStore(Protocol):
    """The part of the store that is read."""

    def pods_now(self, ids: Sequence[str]) -> Mapping[str, str] | None:
        """Name the pods of ids at once; None where the store must be waited for."""

    async def pods_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Name the pods of ids; those nobody knows are left out."""


class Reads:
    """Reads the pods of ids; an id that is being read is not read again."""

    def __init__(self, store: PodStore) -> None:
        """Start with nothing under way."""
        self._store = store
        self._waiting: dict[str, _Future] = {}
        self._asked: dict[str, _Future] = {}
        self._reader: asyncio.Task[None] | None = None

    async def pod(self, resource_id: str) -> str | None:
        """Name the pod of an id; None when the store does not know it."""
        found = self._store.pods_now((resource_id,))
        if found is not None:
            return found.get(resource_id)
        future = self._asked.get(resource_id) or self._waiting.get(resource_id)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            # Who waited may have left: an error that nobody takes is not worth a line in the log.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waiting[resource_id] = future
            if self._reader is None:
                self._reader = asyncio.create_task(self._read())
        # A request that leaves must not take the answer from the others.
        return await asyncio.shield(future)

    async def _read(self) -> None:
        try:
            while self._waiting:
                ids = list(self._waiting)[:AT_ONCE]
                self._asked = {entry: self._waiting.pop(entry) for entry in ids}
                try:
                    found = await self._store.pods_of(ids)
                except Exception as error:  # noqa: BLE001  # told to everyone who waits
                    for future in self._asked.values():
                        future.set_exception(error)
                else:
                    for entry, future in self._asked.items():
                        future.set_result(found.get(entry))
                self._asked = {}
        finally:
            for future in (*self._asked.values(), *self._waiting.values()):
                future.cancel()
            self._asked, self._waiting, self._reader = {}, {}, None
