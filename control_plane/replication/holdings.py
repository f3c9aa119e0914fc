"""What some pods hold of the definitions, everything read once.

Made anew for every few pods that arrive: what is read is not old when it is used.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from control_plane.model.errors import PodUnreachable
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.replication.copies import Copies
from control_plane.replication.inventory import Inventory
from control_plane.replication.kept import Kept
from control_plane.replication.naming import Listing
from control_plane.replication.own import Own
from control_plane.replication.state import Asker, Copyist, State
from control_plane.replication.write import Write
from control_plane.services.operation import Resource
from control_plane.services.service import Service

Found = TypeVar("Found")
#: Items by the ids users have of them, each with the pod it was found in and its id there.
Things = Mapping[str, tuple[Pod, str]]


class Users(Protocol):
    """Lists the users there are, whose key pairs only an administrator finds one by one."""

    async def users(self) -> list[str]:
        """Give ids; KeystoneError when they cannot be read."""


class Holdings:
    """Reads lists, definitions and values of pods, each when it is first asked for."""

    def __init__(
        self, asker: Asker, copies: Copies, inventory: Inventory, own: Own, kept: Kept, users: Users
    ) -> None:
        """Start with nothing read."""
        self._asker = asker
        self._copies = copies
        self._inventory = inventory
        self._own = own
        self._kept = kept
        self._users = users
        self._read: dict[Hashable, asyncio.Task[Any]] = {}

    async def write(self, service: Service, kind: Resource) -> Write:
        """Give the request by which a kind is read and written."""
        since = kind.definition.since if kind.definition else ""
        return await self._once(
            ("write", service.name, kind.name), lambda: self._own.speak(service, since)
        )

    async def items(
        self, pod: Pod, service: Service, kind: Resource, user: str = ""
    ) -> list[dict[str, Any]] | None:
        """Read a pod's list, of a user if told; None when it refuses. PodUnreachable."""
        return await self._once(
            ("items", pod.name, service.name, kind.name, user),
            lambda: self.items_now(pod, service, kind, user),
        )

    async def items_now(
        self, pod: Pod, service: Service, kind: Resource, user: str = ""
    ) -> list[dict[str, Any]] | None:
        """Read the list, though it has been read."""
        path = f"{kind.definition.path}?user_id={user}" if user and kind.definition else ""
        return await self._inventory.items(pod, kind, await self.write(service, kind), path)

    async def of(self, pods: Sequence[Pod], service: Service, kind: Resource) -> Things:
        """Give what some pods have, of the first that has it; PodUnreachable when one is silent."""
        found: dict[str, tuple[Pod, str]] = {}
        for pod in pods:
            for item in await self.items(pod, service, kind) or ():
                local = str(item[kind.identity])
                found.setdefault(self._copies.user_id(kind.name, pod.name, local), (pod, local))
        return found

    async def of_user(
        self, pods: Sequence[Pod], service: Service, kind: Resource, user: str
    ) -> Mapping[str, dict[str, Any]]:
        """Give what a user has in some pods, by its name; PodUnreachable."""
        found: dict[str, dict[str, Any]] = {}
        for pod in pods:
            for item in await self.items(pod, service, kind, user) or ():
                found.setdefault(item[kind.identity], item)
        return found

    async def users(self) -> list[str]:
        """Read whom there is; KeystoneError."""
        return await self._once("users", self._users.users)

    async def state(self, pod: Pod, service: Service, kind: Resource, local: str) -> State | None:
        """Read one definition of a pod whole; None when it is gone. Declined, PodUnreachable."""

        async def read() -> State | None:
            copyist = Copyist(self._asker, self._copies, await self.write(service, kind))
            return await copyist.read(pod, kind, local)

        return await self._once(("state", pod.name, service.name, kind.name, local), read)

    async def values(self, pod: Pod, service: Service) -> list[Intent]:
        """Say what a pod is to be told of what another keeps; Declined, PodUnreachable."""
        return await self._once(
            ("values", pod.name, service.name), lambda: self._kept.of(service, pod)
        )

    async def learn(self, pods: Sequence[Pod], service: Service, kind: Resource) -> None:
        """Bring the ids that are known of a mapped kind in line with what pods list."""

        async def listed() -> Mapping[str, Listing]:
            found = await asyncio.gather(*(self._listing(pod, service, kind) for pod in pods))
            return {
                pod.name: listing
                for pod, listing in zip(pods, found, strict=True)
                if listing is not None
            }

        await self._copies.compare(kind.name, listed)

    async def _listing(self, pod: Pod, service: Service, kind: Resource) -> Listing | None:
        try:
            items = await self.items(pod, service, kind)
        except PodUnreachable:
            return None
        if items is None:
            return None
        return {str(item[kind.identity]): str(item[kind.merge_by]) for item in items}

    async def _once(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        """Read what nobody has asked for yet; all that ask get the same answer, or the error."""
        task: asyncio.Task[Found] | None = self._read.get(key)
        if task is None:
            task = self._read[key] = asyncio.create_task(read())
        return await task
