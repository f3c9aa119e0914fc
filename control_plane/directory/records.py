"""What many creates write at once: one transaction for all that wait.

A transaction costs the same for one owner as for a hundred, and SQLite does one at a time. A
client is answered when the transaction that holds its owner has ended.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from control_plane.model.errors import StoreUnreachable
from control_plane.model.owner import Owner

#: Owners in one transaction, but for a group that is larger on its own.
AT_ONCE = 500


class RecordStore(Protocol):
    """The part of the store that is written."""

    async def record(self, owners: Iterable[Owner]) -> None:
        """Write owners; never changes the pod of a known id."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What one caller writes."""

    owners: Sequence[Owner]
    done: asyncio.Future[None]


class Records:
    """Writes owners; those that come while a transaction is under way share the next."""

    def __init__(self, store: RecordStore) -> None:
        """Start with nothing to write."""
        self._store = store
        self._waiting: list[_Group] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, owners: Sequence[Owner]) -> None:
        """Write owners; raises what the store raised for them."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Who waited may have left: what was made is written all the same.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._waiting.append(_Group(owners, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(done)

    async def _write(self) -> None:
        groups: list[_Group] = []
        try:
            while self._waiting:
                groups = self._batch()
                fault = await self._try([owner for group in groups for owner in group.owners])
                for group in groups:
                    # What one caller brings must not fail the others.
                    apart = (
                        fault is not None
                        and len(groups) > 1
                        and not isinstance(fault, StoreUnreachable)
                    )
                    error = await self._try(group.owners) if apart else fault
                    if error is None:
                        group.done.set_result(None)
                    else:
                        group.done.set_exception(error)
        finally:
            for group in (*groups, *self._waiting):
                group.done.cancel()
            self._waiting, self._writer = [], None

    def _batch(self) -> list[_Group]:
        """Take groups off the queue whose ids are all different: of one id the order counts."""
        ids: set[str] = set()
        count = 0
        for group in self._waiting:
            fresh = {owner.id for owner in group.owners}
            if count and (len(ids) + len(fresh) > AT_ONCE or ids & fresh):
                break
            ids |= fresh
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _try(self, owners: Sequence[Owner]) -> Exception | None:
        try:
            await self._store.record(owners)
        except Exception as error:  # noqa: BLE001  # told to who brought it
            return error
        return None
