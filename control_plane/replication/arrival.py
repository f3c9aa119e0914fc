"""Bring a new pod up to what the others have, before it takes its first create.

A pod is ready when it has every definition of the pods that were ready before it. The first pod
of all is ready as it is: what it has are the users' definitions. What a new pod has of its own
stays in it alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

import structlog

from control_plane.model.errors import Trio2oError
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.registry import View
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.inventory import Inventory, definitions
from control_plane.replication.kept import Kept
from control_plane.replication.own import Own
from control_plane.replication.replay import Replay
from control_plane.replication.state import Asker, Copyist, Declined, State
from control_plane.replication.write import Write
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

#: The fact under which a pod's readiness is stored: what it could not take, by definition.
FACT = "definitions"
#: The fact that names what a pod is being given: only that may be changed when it is met again,
#: since a definition that was there before is the operator's own.
GIVEN = "given"
#: Definitions compared at once: a new pod must not be flooded.
PARALLEL = 8


class ReadyStore(Protocol):
    """The part of the store that keeps which pods are ready."""

    async def facts(self, pod: str) -> Mapping[str, object]:
        """Read what is stored of a pod."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact of a pod."""


class Users(Protocol):
    """Lists the users there are, whose key pairs only an administrator finds one by one."""

    async def users(self) -> Sequence[str]:
        """Give ids; KeystoneError when they cannot be read."""


@dataclass(slots=True)
class _Report:
    """What a pod could not take, and whether all of it was looked at."""

    problems: dict[str, str] = field(default_factory=dict)
    complete: bool = True


class Arrival:
    """Copies definitions from the pods that are ready to those that are not."""

    def __init__(
        self,
        asker: Asker,
        copies: Copies,
        inventory: Inventory,
        own: Own,
        store: ReadyStore,
        users: Users,
        kept: Kept,
        replay: Replay,
    ) -> None:
        """Take what asks pods, knows ids, lists definitions and values, and keeps who is ready."""
        self._asker = asker
        self._copies = copies
        self._inventory = inventory
        self._own = own
        self._store = store
        self._users = users
        self._kept = kept
        self._replay = replay

    async def welcome(self, view: View, *, reachable: Callable[[str], bool]) -> bool:
        """Try to make every pod ready that is not; True when any became so."""
        ready: list[Pod] = []
        late: list[Pod] = []
        for pod in view.fleet.serving:
            stored = (await self._store.facts(pod.name)).get(FACT)
            (ready if isinstance(stored, dict) else late).append(pod)
        became = False
        for pod in late:
            if not reachable(pod.name) or not self._services(view, pod):
                continue
            report = await self._bring(view, pod, ready)
            if report.complete:
                await self._store.put_fact(pod.name, FACT, report.problems)
                log.info("pod_ready", pod=pod.name, problems=report.problems)
                ready.append(pod)
                became = True
        return became

    def _services(self, view: View, pod: Pod) -> list[Service]:
        return [service for service in SERVICES if view.endpoint(pod.name, service.name)]

    async def _bring(self, view: View, pod: Pod, sources: Sequence[Pod]) -> _Report:
        report = _Report()
        for service in self._services(view, pod):
            able = [source for source in sources if view.endpoint(source.name, service.name)]
            for kind in definitions(service):
                if not able:
                    continue
                try:
                    await self._copy(service, kind, pod, able, report)
                except Trio2oError as error:
                    log.warning("pod_not_ready", pod=pod.name, kind=kind.name, error=str(error))
                    report.complete = False
            try:
                await self._tell(service, pod, able, report)
            except Trio2oError as error:
                log.warning("pod_not_ready", pod=pod.name, kind="values", error=str(error))
                report.complete = False
        return report

    async def _tell(
        self, service: Service, pod: Pod, sources: Sequence[Pod], report: _Report
    ) -> None:
        """Set quotas and default types, which name definitions, as the others have them."""
        limit = asyncio.Semaphore(PARALLEL)

        async def tell(intent: Intent) -> None:
            async with limit:
                write = await self._replay.write(intent)
                try:
                    answer = await self._asker.ask(pod, write.to_pod(pod, self._copies))
                except Unresolved as error:
                    report.problems[intent.path] = str(error)
                    return
            if answer.status >= HTTPStatus.BAD_REQUEST:
                report.problems[intent.path] = str(Declined(answer, f"PUT {intent.path}"))

        if sources:
            values = await self._kept.of(service, sources[0])
            await asyncio.gather(*(tell(intent) for intent in values))

    async def _copy(
        self,
        service: Service,
        kind: Resource,
        pod: Pod,
        sources: Sequence[Pod],
        report: _Report,
    ) -> None:
        since = kind.definition.since if kind.definition else ""
        if kind.mapped:
            await self._copies.refresh(kind.name)
        if kind.definition is not None and kind.definition.owned:
            await self._copy_owned(service, kind, pod, sources, report)
            return
        write = await self._own.speak(service, since)
        copyist = Copyist(self._asker, self._copies, write)
        wanted: dict[str, tuple[Pod, str]] = {}
        for source in sources:
            items = await self._inventory.items(source, kind, write)
            for item in items or ():
                local = str(item[kind.identity])
                user_id = self._copies.user_id(kind.name, source.name, local)
                wanted.setdefault(user_id, (source, local))
        held = await self._inventory.items(pod, kind, write)
        if held is None:
            report.complete = False
            return
        given = await self._given(pod, kind, [str(item[kind.identity]) for item in held], wanted)
        limit = asyncio.Semaphore(PARALLEL)

        async def bring(user_id: str, source: Pod, local: str) -> None:
            async with limit:
                await self._bring_one(copyist, kind, pod, user_id, source, local, report)

        await asyncio.gather(
            *(bring(user_id, *place) for user_id, place in wanted.items() if user_id in given)
        )

    async def _given(
        self, pod: Pod, kind: Resource, held: Sequence[str], wanted: Mapping[str, object]
    ) -> set[str]:
        """Say what the pod is to be given: what it lacks, and what was begun before a break."""
        mine = {self._copies.user_id(kind.name, pod.name, pod_id) for pod_id in held}
        stored = (await self._store.facts(pod.name)).get(GIVEN)
        before = stored if isinstance(stored, dict) else {}
        begun = set(before.get(kind.name, ()))
        given = {user_id for user_id in wanted if user_id not in mine or user_id in begun}
        if given - begun:
            await self._store.put_fact(pod.name, GIVEN, {**before, kind.name: sorted(given)})
        return given

    async def _bring_one(
        self,
        copyist: Copyist,
        kind: Resource,
        pod: Pod,
        user_id: str,
        source: Pod,
        local: str,
        report: _Report,
    ) -> None:
        """Make one definition in the new pod as it is in another, if it is not there yet."""
        state = await copyist.read(source, kind, local)
        if state is None:
            return
        mine = user_id
        present: State | None = None
        if not kind.mapped:
            present = await copyist.read(pod, kind, mine)
        elif not self._copies.lacks(kind.name, user_id, pod.name):
            mine = self._copies.pod_id(kind.name, user_id, pod.name)
            present = await copyist.read(pod, kind, mine)
        try:
            made = await copyist.alike(pod, kind, mine, state, present)
        except (Declined, Unresolved) as error:
            report.problems[f"{kind.name} {state.fields.get('name', user_id)}"] = str(error)
            return
        if kind.mapped and present is None and made:
            await self._copies.adopt(kind.name, user_id, pod.name, made)

    async def _copy_owned(
        self,
        service: Service,
        kind: Resource,
        pod: Pod,
        sources: Sequence[Pod],
        report: _Report,
    ) -> None:
        """Copy what belongs to users: key pairs, as far as an administrator can read them."""
        try:
            users = await self._users.users()
        except Trio2oError as error:
            report.problems[kind.name] = f"the users could not be listed: {error}"
            return
        since = kind.definition.since if kind.definition else ""
        write = await self._own.speak(service, since)
        limit = asyncio.Semaphore(PARALLEL)

        async def bring(user: str) -> None:
            async with limit:
                await self._copy_of_user(write, kind, pod, sources, user, report)

        await asyncio.gather(*(bring(user) for user in users))

    async def _copy_of_user(
        self,
        write: Write,
        kind: Resource,
        pod: Pod,
        sources: Sequence[Pod],
        user: str,
        report: _Report,
    ) -> None:
        ask = f"?user_id={user}"
        path = kind.definition.path if kind.definition else ""
        wanted: dict[str, dict[str, Any]] = {}
        for source in sources:
            for item in await self._inventory.items(source, kind, write, path + ask) or ():
                wanted.setdefault(item[kind.identity], item)
        if not wanted:
            return
        held = {
            item[kind.identity]
            for item in await self._inventory.items(pod, kind, write, path + ask) or ()
        }
        copyist = Copyist(self._asker, self._copies, write)
        for name, item in wanted.items():
            if name in held:
                continue
            try:
                await copyist.alike(pod, kind, name, State({**item, "user_id": user}), None)
            except Declined as error:
                report.problems[f"{kind.name} {name} of {user}"] = str(error)
