"""Ids of copies: from what a pod calls a thing to what users call it, and back.

Translating is a look into memory. What is not known there is looked for first, in the store (as
another replica may have learnt it) and then in the pods, by `learn` and `resolve`.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import structlog

from control_plane.database.copies import Change
from control_plane.model.copy import USERS, Copy
from control_plane.model.errors import Trio2oError
from control_plane.model.pod import Pod
from control_plane.replication.naming import Listing, matched
from control_plane.services.operation import Resource

log = structlog.get_logger()

#: How long something that no pod knows is not looked for again, seconds.
MISS_SECONDS = 2.0


class Unresolved(Trio2oError):
    """A pod has no copy of a thing that a request names."""

    def __init__(self, resource: str, user_id: str, pod: str) -> None:
        """Keep what is missing where."""
        super().__init__(f"pod {pod} has no copy of {resource.replace('_', ' ')} {user_id}")
        self.resource = resource
        self.user_id = user_id
        self.pod = pod


class CopyStore(Protocol):
    """The part of the store that keeps copies."""

    async def copies(self, resource: str = "") -> list[Copy]:
        """Read copies."""

    async def change_copies(self, resource: str, change: Change) -> list[Copy]:
        """Change the copies of a resource."""


class Lister(Protocol):
    """Asks pods what they have."""

    async def listings(self, resource: str) -> Mapping[str, Listing]:
        """Give the ids and names in each pod that answers, in the fleet's order."""


#: Tells the other processes that a resource has other copies, and waits until they know.
Tell = Callable[[str], Awaitable[None]]


async def _nobody(_: str) -> None:
    """Tell no one: there is one process."""


class Copies:
    """Knows what each pod calls what users have once."""

    def __init__(
        self,
        store: CopyStore,
        lister: Lister,
        clock: Callable[[], float] = time.monotonic,
        tell: Tell = _nobody,
    ) -> None:
        """Start empty."""
        self._store = store
        self._lister = lister
        self._clock = clock
        self._tell = tell
        #: Held from reading the store until memory has what was read, so that an older answer
        #: never comes over a newer one.
        self._reading = asyncio.Lock()
        self._to_user: dict[tuple[str, str, str], str] = {}
        self._to_pod: dict[tuple[str, str, str], str] = {}
        self._users: dict[tuple[str, str], str] = {}
        #: What creates ask for, worked out of the others: who has a thing, and what has a name.
        self._holders: dict[tuple[str, str], frozenset[str]] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        self._misses: dict[tuple[str, str], float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        #: Copies to be written, by resource: the users' id by pod and the pod's id.
        self._adopted: dict[str, dict[tuple[str, str], str]] = {}
        self._adopting = asyncio.Lock()

    def user_id(self, resource: str, pod: str, pod_id: str) -> str:
        """Give the id users see; the pod's own where nothing is known of it."""
        return self._to_user.get((resource, pod, pod_id), pod_id)

    def pod_id(self, resource: str, user_id: str, pod: str) -> str:
        """Give the pod's id of what users call so; Unresolved when the pod has no copy.

        A name, and whatever else is nobody's id, is the same everywhere.
        """
        found = self._to_pod.get((resource, user_id, pod))
        if found is not None:
            return found
        if (resource, user_id) in self._users:
            raise Unresolved(resource, user_id, pod)
        return user_id

    def known(self, resource: str, user_id: str) -> bool:
        """Whether users call something so."""
        return (resource, user_id) in self._users

    def lacks(self, resource: str, user_id: str, pod: str) -> bool:
        """Whether a pod has no copy of what users call so."""
        return (resource, user_id, pod) not in self._to_pod

    def holders(self, resource: str, thing: str) -> frozenset[str]:
        """Give the pods that have a thing, told by its id or name; empty when it is not known."""
        user_id = thing
        if not self.known(resource, thing):
            user_id = self._named(resource, thing) or thing
        return self._holders.get((resource, user_id), frozenset())

    def name(self, resource: str, user_id: str) -> str | None:
        """Give the name of what users call so."""
        return self._users.get((resource, user_id))

    def find(self, resource: str, name: str, pod: str) -> str | None:
        """Give the pod's id of what has a name; None when it has no such copy."""
        user_id = self._named(resource, name)
        return self._to_pod.get((resource, user_id, pod)) if user_id else None

    def _named(self, resource: str, name: str) -> str | None:
        return self._by_name.get((resource, name))

    async def load(self) -> None:
        """Read what replicas have learnt."""
        found: dict[str, list[Copy]] = {}
        async with self._reading:
            for entry in await self._store.copies():
                found.setdefault(entry.resource, []).append(entry)
            for resource, entries in found.items():
                self._take(resource, entries)

    async def reload(self, resource: str) -> None:
        """Read again what another process has changed."""
        async with self._reading:
            self._take(resource, await self._store.copies(resource))
        self._misses = {key: end for key, end in self._misses.items() if key[0] != resource}

    async def learn(self, resource: Resource, pod: Pod, body: bytes) -> None:
        """Make sure that the ids in an answer of a pod are known."""
        for ref in resource.ids:
            for pod_id in _ids(body, ref.path):
                if (ref.resource, pod.name, pod_id) not in self._to_user:
                    await self._look_for(ref.resource, pod_id, (pod.name, pod_id))

    async def resolve(self, resource: str, user_id: str) -> None:
        """Make sure that an id a user names is known, if it is one."""
        if (resource, user_id) not in self._users:
            await self._look_for(resource, user_id, None)

    async def record(self, resource: str, name: str, made: Mapping[str, str]) -> str:
        """Keep the ids of what was just made, by pod, the home pod first; gives the users' id."""
        listings = {pod: {pod_id: name} for pod, pod_id in made.items()}

        def change(known: Sequence[Copy]) -> list[Copy]:
            others = [(entry.pod, entry.pod_id) for entry in known]
            return matched(resource, known, listings, others)

        await self._change(resource, change)
        pod, pod_id = next(iter(made.items()))
        return self.user_id(resource, pod, pod_id)

    async def forget(self, resource: str, user_id: str, pods: Iterable[str]) -> None:
        """Drop the copies of what was deleted in some pods."""
        gone = set(pods)

        def change(known: Sequence[Copy]) -> list[Copy]:
            kept = [entry for entry in known if entry.user_id != user_id or entry.pod not in gone]
            held = {entry.user_id for entry in kept if entry.pod != USERS}
            return [entry for entry in kept if entry.user_id in held]

        await self._change(resource, change)

    async def adopt(self, resource: str, user_id: str, pod: str, pod_id: str) -> None:
        """Keep the id of a copy that was made after the pattern of what users call so.

        Those that come while some are being written are written together.
        """
        self._adopted.setdefault(resource, {})[pod, pod_id] = user_id
        async with self._adopting:
            batch = self._adopted.pop(resource, None)
            if batch is None:
                return

            def change(known: Sequence[Copy]) -> list[Copy]:
                others = [entry for entry in known if (entry.pod, entry.pod_id) not in batch]
                names = {entry.user_id: entry.name for entry in known if entry.pod == USERS}
                new = [
                    Copy(resource, pod, pod_id, user_id, names.get(user_id, pod_id))
                    for (pod, pod_id), user_id in batch.items()
                ]
                return [*others, *new]

            try:
                await self._change(resource, change)
            except BaseException:
                # For those that wait in vain: the next of them tries again.
                self._adopted[resource] = {**batch, **self._adopted.get(resource, {})}
                raise

    async def replace(self, resource: str, pod: str, old: str, new: str) -> None:
        """Keep the new id of what a pod had to make again."""

        def change(known: Sequence[Copy]) -> list[Copy]:
            return [
                Copy(resource, pod, new, entry.user_id, entry.name)
                if (entry.pod, entry.pod_id) == (pod, old)
                else entry
                for entry in known
            ]

        await self._change(resource, change)

    async def refresh(self, resource: str) -> None:
        """Ask the pods what they have; callers at the same time share the answers."""
        task = self._asking.get(resource)
        if task is None:
            task = asyncio.create_task(self._refresh(resource))
            self._asking[resource] = task
            task.add_done_callback(lambda _: self._asking.pop(resource, None))
        await asyncio.shield(task)

    async def _look_for(self, resource: str, thing: str, key: tuple[str, str] | None) -> None:
        until = self._misses.get((resource, thing), 0.0)
        if until > self._clock():
            return
        async with self._reading:
            self._take(resource, await self._store.copies(resource))
        found = (resource, *key) in self._to_user if key else (resource, thing) in self._users
        if not found:
            await self.refresh(resource)
            found = (resource, *key) in self._to_user if key else (resource, thing) in self._users
        if not found:
            self._misses = {
                entry: end for entry, end in self._misses.items() if end > self._clock()
            }
            self._misses[resource, thing] = self._clock() + MISS_SECONDS

    async def _refresh(self, resource: str) -> None:
        await self.compare(resource, lambda: self._lister.listings(resource))

    async def compare(
        self, resource: str, listed: Callable[[], Awaitable[Mapping[str, Listing]]]
    ) -> None:
        """Bring what is known in line with what some pods list; of others it stays as it is."""
        before = {(entry.pod, entry.pod_id) for entry in await self._store.copies(resource)}
        listings = await listed()

        def change(known: Sequence[Copy]) -> list[Copy]:
            new = {(entry.pod, entry.pod_id) for entry in known} - before
            return matched(resource, known, listings, new)

        if listings:
            await self._change(resource, change)

    async def _change(self, resource: str, change: Change) -> None:
        """Change the copies of a resource; nobody is told of what stays as it is."""
        changed = False

        def noted(known: Sequence[Copy]) -> Sequence[Copy]:
            nonlocal changed
            wanted = change(known)
            changed = set(wanted) != set(known)
            return wanted

        async with self._reading:
            self._take(resource, await self._store.change_copies(resource, noted))
        if changed:
            await self._tell(resource)

    def _take(self, resource: str, entries: Sequence[Copy]) -> None:
        """Put what is known of a resource in place of what was."""
        self._to_user = {key: held for key, held in self._to_user.items() if key[0] != resource}
        self._to_pod = {key: held for key, held in self._to_pod.items() if key[0] != resource}
        self._users = {key: held for key, held in self._users.items() if key[0] != resource}
        for entry in entries:
            if entry.pod == USERS:
                self._users[resource, entry.user_id] = entry.name
            else:
                self._to_user[resource, entry.pod, entry.pod_id] = entry.user_id
                self._to_pod[resource, entry.user_id, entry.pod] = entry.pod_id
        self._index()

    def _index(self) -> None:
        """Work out what creates ask for, so that they look at one thing and not at all."""
        self._by_name = {}
        for (resource, user_id), name in self._users.items():
            self._by_name.setdefault((resource, name), user_id)
        found: dict[tuple[str, str], set[str]] = {}
        for resource, user_id, pod in self._to_pod:
            found.setdefault((resource, user_id), set()).add(pod)
        self._holders = {key: frozenset(pods) for key, pods in found.items()}


def _ids(body: bytes, field: str) -> set[str]:
    """Find the ids that stand in a field anywhere in an answer, without decoding it."""
    return {
        text.decode() for value in _pattern(field).findall(body) for text in _TEXT.findall(value)
    }


_TEXT = re.compile(rb'"([^"\\]+)"')


@lru_cache(maxsize=64)
def _pattern(field: str) -> re.Pattern[bytes]:
    return re.compile(rb'"' + re.escape(field).encode() + rb'"\s*:\s*("[^"\\]+"|\[[^\]{]*\])')
