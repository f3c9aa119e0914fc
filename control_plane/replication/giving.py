"""Give a new pod what the pods that are ready have: definitions, quotas and default types."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import structlog

from control_plane.model.errors import Trio2oError
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.holdings import Holdings, Things
from control_plane.replication.inventory import definitions
from control_plane.replication.replay import Replay
from control_plane.replication.state import Asker, Copyist, Declined, State
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

#: The fact that names what a pod is being given: only that may be changed when it is met again,
#: since a definition that was there before is the operator's own.
GIVEN = "given"
#: Definitions compared at once in a pod: a new pod must not be flooded.
PARALLEL = 8


class GivenStore(Protocol):
    """The part of the store that keeps what a pod is being given."""

    async def facts(self, pod: str) -> Mapping[str, object]:
        """Read what is stored of a pod."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact of a pod."""


@dataclass(slots=True)
class Report:
    """What a pod could not take, and whether all of it was looked at."""

    problems: dict[str, str] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Gift:
    """A service of a pod, the pods in `able` that have what it is to have, and how it goes."""

    held: Holdings
    service: Service
    pod: Pod
    able: Sequence[Pod]
    report: Report


class Giving:
    """Makes in a pod what others have, and notes what it refuses."""

    def __init__(self, asker: Asker, copies: Copies, store: GivenStore, replay: Replay) -> None:
        """Take what asks pods, knows ids, keeps what was begun, and makes requests of values."""
        self._asker = asker
        self._copies = copies
        self._store = store
        self._replay = replay
        #: Conflicts that are looked at again, by pod.
        self._met: set[tuple[str, str]] = set()

    async def give(
        self, held: Holdings, service: Service, pod: Pod, able: Sequence[Pod], report: Report
    ) -> None:
        """Make definitions and set values as they are in the pods in `able`."""
        gift = _Gift(held, service, pod, able, report)
        for kind in definitions(service):
            try:
                await self._copy(gift, kind)
            except Trio2oError as error:
                log.warning("pod_not_ready", pod=pod.name, kind=kind.name, error=str(error))
                report.complete = False
        try:
            await self._tell(gift)
        except Trio2oError as error:
            log.warning("pod_not_ready", pod=pod.name, kind="values", error=str(error))
            report.complete = False

    async def _tell(self, gift: _Gift) -> None:
        """Set quotas and default types, which name definitions, as the others have them."""
        pod, problems = gift.pod, gift.report.problems
        limit = asyncio.Semaphore(PARALLEL)

        async def tell(intent: Intent) -> None:
            async with limit:
                write = await self._replay.write(intent)
                try:
                    answer = await self._asker.ask(pod, write.to_pod(pod, self._copies))
                except Unresolved as error:
                    problems[intent.path] = str(error)
                    return
            if answer.status >= HTTPStatus.BAD_REQUEST:
                problems[intent.path] = str(Declined(answer, f"PUT {intent.path}"))

        values = await gift.held.values(gift.able[0], gift.service)
        await asyncio.gather(*(tell(intent) for intent in values))

    async def _copy(self, gift: _Gift, kind: Resource) -> None:
        if kind.definition is not None and kind.definition.owned:
            await self._copy_owned(gift, kind)
            return
        held, service, pod, report = gift.held, gift.service, gift.pod, gift.report
        wanted = await held.of(gift.able, service, kind)
        mine = await held.items(pod, service, kind)
        if mine is None:
            report.complete = False
            return
        if not wanted:
            return
        given = await self._given(pod, kind, [str(item[kind.identity]) for item in mine], wanted)
        copyist = Copyist(self._asker, self._copies, await held.write(service, kind))
        limit = asyncio.Semaphore(PARALLEL)

        async def bring(user_id: str, source: Pod, local: str) -> None:
            async with limit:
                state = await held.state(source, service, kind, local)
                if state is not None:
                    await self._bring_one(copyist, kind, pod, user_id, state, report)

        await asyncio.gather(
            *(bring(user_id, *place) for user_id, place in wanted.items() if user_id in given)
        )

    async def _given(
        self, pod: Pod, kind: Resource, held: Sequence[str], wanted: Things
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
        state: State,
        report: Report,
    ) -> None:
        """Make one definition in the new pod as it is in another, if it is not there yet."""
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
            self._note(report, pod, f"{kind.name} {state.fields.get('name', user_id)}", error)
            return
        if kind.mapped and present is None and made:
            await self._copies.adopt(kind.name, user_id, pod.name, made)

    async def _copy_owned(self, gift: _Gift, kind: Resource) -> None:
        """Copy what belongs to users: key pairs, as far as an administrator can read them."""
        held, service, pod, problems = gift.held, gift.service, gift.pod, gift.report.problems
        try:
            users = await held.users()
        except Trio2oError as error:
            # They come with the first requests that name them.
            problems[kind.name] = f"the users could not be listed: {error}"
            return
        copyist = Copyist(self._asker, self._copies, await held.write(service, kind))
        limit = asyncio.Semaphore(PARALLEL)

        async def bring(user: str) -> None:
            async with limit:
                wanted = await held.of_user(gift.able, service, kind, user)
                if not wanted:
                    return
                mine = await held.items_now(pod, service, kind, user) or ()
                names = {item[kind.identity] for item in mine}
                for name, item in wanted.items():
                    if name in names:
                        continue
                    try:
                        state = State({**item, "user_id": user})
                        await copyist.alike(pod, kind, name, state, None)
                    except Declined as error:
                        self._note(gift.report, pod, f"{kind.name} {name} of {user}", error)

        await asyncio.gather(*(bring(user) for user in users))

    def _note(self, report: Report, pod: Pod, thing: str, error: Declined | Unresolved) -> None:
        """Note what a pod refuses; a conflict the second time.

        Another replica may be giving the pod the same: the next time it is there.
        """
        key = (pod.name, thing)
        conflicts = isinstance(error, Declined) and error.answer.status == HTTPStatus.CONFLICT
        if conflicts and key not in self._met:
            self._met.add(key)
            report.complete = False
            return
        self._met.discard(key)
        report.problems[thing] = str(error)
