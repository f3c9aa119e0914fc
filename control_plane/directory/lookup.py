"""Find the owner of an id: memory, the store, then all pods in parallel, once."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import structlog

from control_plane.directory.allowance import Allowance
from control_plane.directory.memory import MissMemory, OwnerMemory
from control_plane.directory.reads import Reads
from control_plane.directory.records import Records
from control_plane.directory.shadows import Shadows, ShadowStore
from control_plane.model.caller import Caller
from control_plane.model.errors import PodUnreachable, Refused, unavailable
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest

log = structlog.get_logger()

#: How many marked ids are kept in memory.
_MARKED = 50_000


class OwnerStore(ShadowStore, Protocol):
    """The part of the store the directory needs."""

    async def owner(self, id: str) -> Owner | None:  # noqa: A002
        """Read one owner."""

    async def standing(self, id: str) -> Owner | None:  # noqa: A002
        """Read one owner; None of what is marked as deleted."""

    def pods_now(self, ids: Sequence[str]) -> Mapping[str, str] | None:
        """Name the pods of ids at once; None where the store must be waited for."""

    async def pods_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Name the pods of ids; those nobody knows are left out."""

    async def record(self, owners: Iterable[Owner]) -> None:
        """Write owners; never changes the pod of a known id."""

    async def placed(
        self,
        resource: str,
        pod: str,
        project_id: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Owner]:
        """Read what a pod has of a project, or of all, created after a moment; oldest first."""

    async def mark_deleted(self, id: str) -> None:  # noqa: A002
        """Remember that a resource is gone."""

    async def give(self, id: str, project_id: str) -> None:  # noqa: A002
        """Write another project to an owner."""


class Asker(Protocol):
    """Asks several pods at once."""

    async def ask_all(
        self, pods: Iterable[Pod], request: PodRequest
    ) -> tuple[list[PodAnswer], list[PodUnreachable]]:
        """Send one request to several pods."""


class Observer(Protocol):
    """Counts where owners were found."""

    def looked_up(self, source: str) -> None:
        """Count one look-up; `source` is memory, database, pods or nowhere."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whose id is it, asked on behalf of a caller.

    `path` is the probe with the id filled in and the version before it; `headers` carry the
    caller's token, so that a pod hides what the caller may not see.
    """

    id: str
    resource: str
    service: str
    path: str
    project_id: str
    headers: Mapping[str, str]
    authority: str = "trio2o"
    #: Whether several pods may have it.
    replicated: bool = False

    @property
    def probe(self) -> PodRequest:
        """The request that a pod answers 200 if it has the id."""
        return PodRequest(self.service, "GET", self.path, self.headers, authority=self.authority)


@dataclass(frozen=True, slots=True)
class Found:
    """The pods' word on an id: who has it, and who could not be asked."""

    holders: tuple[str, ...]
    missing: tuple[str, ...]


class Directory:
    """Knows the pod of each placed resource."""

    def __init__(self, store: OwnerStore, asker: Asker, observer: Observer) -> None:
        """Start with an empty memory."""
        self._store = store
        #: What stands in for things of one pod in the others.
        self.shadows = Shadows(store)
        self._asker = asker
        self._observer = observer
        self._memory = OwnerMemory()
        self._misses = MissMemory()
        self._reads = Reads(store)
        self._records = Records(store)
        self._allowance = Allowance()
        self._asking: dict[tuple[str, str], asyncio.Task[Found]] = {}
        #: Ids known to be marked, so that clients that wait for a 404 cost one write.
        self._marked: set[str] = set()

    async def known(self, resource_id: str) -> str | None:
        """Find an owner without asking pods; None when memory and store do not know."""
        pod = self._memory.get(resource_id)
        if pod is not None:
            self._observer.looked_up("memory")
            return pod
        pod = await self._reads.pod(resource_id)
        if pod is None:
            return None
        self._observer.looked_up("database")
        self._memory.learn(resource_id, pod)
        return pod

    def remembers(self, resource_id: str) -> bool:
        """Whether an owner is known in memory, where it costs nothing to look."""
        return self._memory.get(resource_id) is not None

    async def recorded(self, resource_id: str) -> Owner | None:
        """Read what the store knows of an id."""
        return await self._store.owner(resource_id)

    async def standing(self, resource_id: str) -> Owner | None:
        """Read what the store knows of an id, unless it is marked as deleted."""
        return await self._store.standing(resource_id)

    async def placed(
        self,
        resource: str,
        pod: str,
        project_id: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Owner]:
        """Read what the store knows of in a pod: oldest first, none that is deleted."""
        return await self._store.placed(resource, pod, project_id, since, limit)

    async def owner(
        self, question: Question, pods: Sequence[Pod], *, stored: bool = True
    ) -> str | None:
        """Find the pod that owns an id; None when every pod said 404.

        Raises Refused(503) when none has it and one could not be asked, and what the pods agree on
        when they refuse the caller's token. `stored` False: the store does not answer.
        """
        if stored:
            pod = await self.known(question.id)
            if pod is not None:
                return pod
        if (question.project_id, question.id) in self._misses:
            self._observer.looked_up("nowhere")
            return None
        found = await self.ask(question, pods)
        if found.holders:
            self._observer.looked_up("pods")
            pod = found.holders[0]
            if stored:
                await self.record([Owner(question.id, question.resource, pod, question.project_id)])
            else:
                self.learn(question.id, pod)
            return pod
        if found.missing:
            message = f"The {question.resource} could not be looked up everywhere; try again."
            raise unavailable(message)
        self._observer.looked_up("nowhere")
        self._misses.add(question.project_id, question.id)
        return None

    async def ask(self, question: Question, pods: Sequence[Pod]) -> Found:
        """Ask the pods who has an id; callers of one project share the answer.

        Refused(429) when the project has had them asked too often for what nobody has.
        """
        key = (question.project_id, question.id)
        task = self._asking.get(key)
        if task is None:
            self._allowance.take(question.project_id)
            task = asyncio.create_task(self._ask(question, pods))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, question: Question, pods: Sequence[Pod]) -> Found:
        answers, missing = await self._asker.ask_all(pods, question.probe)
        refused = [answer for answer in answers if answer.status == HTTPStatus.UNAUTHORIZED]
        if refused and len(refused) == len(answers):
            message = "The request you have made requires authentication."
            header = refused[0].headers.get("www-authenticate", "Keystone")
            raise Refused(HTTPStatus.UNAUTHORIZED, message, {"www-authenticate": header})
        # 403 means that the pod has it and will say so itself; 5xx, that nothing is known.
        holders = [
            answer.pod.name
            for answer in answers
            if answer.status < HTTPStatus.BAD_REQUEST or answer.status == HTTPStatus.FORBIDDEN
        ]
        unknown = [entry.pod for entry in missing] + [
            answer.pod.name
            for answer in answers
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ]
        if holders:
            self._allowance.give_back(question.project_id)
        return Found(tuple(holders), tuple(unknown))

    def learn(self, resource_id: str, pod: str) -> None:
        """Keep in memory what an answer of a pod showed."""
        self._memory.learn(resource_id, pod)

    async def record(self, owners: Sequence[Owner]) -> None:
        """Keep owners in memory and in the store.

        A store that fails is no reason to fail a create that a pod has carried out: the pods still
        know, and the owner is found by asking them.
        """
        for owner in owners:
            self._memory.learn(owner.id, owner.pod)
            self._misses.forget(owner.id, owner.project_id)
            self._marked.discard(owner.id)
        try:
            await self._records.write(owners)
        except Exception:
            log.exception("owners_not_stored", ids=[owner.id for owner in owners])

    async def mark_deleted(self, resource_id: str) -> None:
        """Remember that a resource is gone or going; its owner stays known.

        Also of one that was marked here before: another process may have seen it come back.
        """
        await self._store.mark_deleted(resource_id)
        if len(self._marked) >= _MARKED:
            self._marked.clear()
        self._marked.add(resource_id)

    async def missed(self, resource_id: str, caller: Caller) -> None:
        """Take a pod's 404 for the end of a resource, if the caller would be shown it."""
        if resource_id in self._marked:
            return
        owner = await self._store.owner(resource_id)
        if owner and (caller.is_admin or owner.project_id in ("", caller.project_id)):
            await self.mark_deleted(resource_id)

    async def give(self, resource_id: str, resource: str, pod: str, project_id: str) -> None:
        """Remember that a resource belongs to another project now."""
        await self.record([Owner(resource_id, resource, pod, project_id)])
        await self._store.give(resource_id, project_id)
