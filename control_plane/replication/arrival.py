"""Bring new pods up to what the others have, before they take their first create.

A pod is ready when it has every definition of the pods that were ready before it. The first pod
of all is ready as it is: what it has are the users' definitions. What a new pod has of its own
stays in it, and goes to the pods that become ready after it. A pod that gains a service is new as
far as that service goes.

Of the pods that are ready a few are asked, however many there are (`sources`), once for all pods
that arrive together. Those that bring nothing of their own are made ready side by side; one that
does is made ready alone, so that the next one gets it too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from control_plane.model.errors import Trio2oError
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pods.facts import GIVEN_SERVICES
from control_plane.pods.view import View
from control_plane.replication.giving import Giving, Report
from control_plane.replication.holdings import Holdings
from control_plane.replication.inventory import definitions
from control_plane.replication.sources import Asked, Ready, sources
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

#: The fact under which a pod's readiness is stored: what it could not take, by definition.
FACT = "definitions"
#: Before the name of a service that a pod gained when it was ready: the same of that service.
GAINED = f"{FACT}/"
#: The fact that names the services of which a ready pod has definitions that its users did not make
#: by way of the gateway (`rounds.py`).
OWN = "own definitions"
#: Pods made ready at once. What the others have is read anew for the next so many, since users
#: change it meanwhile.
TOGETHER = 32


class ReadyStore(Protocol):
    """The part of the store that keeps which pods are ready, and what they are to be told."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact of a pod."""

    async def pods_with_fact(self, key: str) -> Collection[str]:
        """Name the pods of which one fact is stored."""

    async def each_with_fact(self, key: str) -> Mapping[str, tuple[object, datetime]]:
        """Read one fact of all pods that have it, and since when."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read the writes that pods are still to be told, or have refused."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A pod, the services whose definitions it is to be given, and whether it has others."""

    pod: Pod
    services: Sequence[Service]
    gains: bool


#: The pods from which those that arrive get what a service's users have, by the service's name.
Sources = Mapping[str, Sequence[Pod]]


async def _nobody() -> None:
    """Tell no one."""


class Arrival:
    """Copies definitions from the pods that are ready to those that are not."""

    def __init__(
        self,
        holdings: Callable[[], Holdings],
        giving: Giving,
        store: ReadyStore,
    ) -> None:
        """Take what reads what pods hold, what gives it to others, and what keeps who is ready."""
        self._holdings = holdings
        self._giving = giving
        self._store = store

    async def welcome(
        self,
        view: View,
        *,
        reachable: Callable[[str], bool],
        tell: Callable[[], Awaitable[None]] = _nobody,
    ) -> bool:
        """Try to make every pod ready that is not; True when any became so.

        `tell` is awaited whenever some have become ready while others are still to be.
        """
        ready = await self._store.pods_with_fact(FACT)
        late = [
            newcomer
            for pod in view.fleet.serving
            if reachable(pod.name)
            and (newcomer := _newcomer(view, pod, gains=pod.name in ready)).services
        ]
        became = False
        for start in range(0, len(late), TOGETHER):
            if await self._together(view, late[start : start + TOGETHER]):
                became = True
                await tell()
        return became

    async def _together(self, view: View, late: Sequence[Newcomer]) -> bool:
        """Make a few pods ready, those that bring something of their own one after the other."""
        held = self._holdings()
        asked = await self.asked(view)
        chosen = {service.name: asked.of(service.name) for service in SERVICES}
        await self._learn(held, chosen, late)
        became = False
        waiting = list(late)
        while waiting:
            alike = await asyncio.gather(
                *(self._brings_nothing(held, chosen, late) for late in waiting)
            )
            now = [late for late, same in zip(waiting, alike, strict=True) if same] or waiting[:1]
            waiting = [late for late in waiting if late not in now]
            done = await asyncio.gather(*(self._admit(view, held, chosen, late) for late in now))
            for newcomer, admitted in zip(now, done, strict=True):
                for service in newcomer.services if admitted else ():
                    chosen[service.name].append(newcomer.pod)
                became = became or admitted
        return became

    async def asked(self, view: View) -> Asked:
        """Say which pods are asked what there is."""
        lacks: dict[str, set[str]] = {}
        for intent in await self._store.intents():
            lacks.setdefault(intent.pod, set()).add(intent.subject)
        ready = await self._store.each_with_fact(FACT)
        own = await self._store.each_with_fact(OWN)
        asked = Asked({}, {})
        for service in SERVICES:
            gained = await self._store.each_with_fact(f"{GAINED}{service.name}")
            entries = []
            for name, (problems, since) in {**ready, **gained}.items():
                pod = view.fleet.get(name)
                if (
                    pod is not None
                    and pod.serves
                    and isinstance(problems, dict)
                    and view.endpoint(name, service.name)
                    and service.name not in view.facts[name].lacks
                ):
                    unmade = frozenset(lacks.get(name, set()) | problems.keys())
                    entries.append(Ready(pod, since, unmade))
            asked.first[service.name] = sources(entries)
            named = {name for name, (value, _) in own.items() if service.name in _names(value)}
            asked.own[service.name] = [entry.pod for entry in entries if entry.pod.name in named]
        return asked

    async def _learn(self, held: Holdings, chosen: Sources, late: Sequence[Newcomer]) -> None:
        """Bring the ids of what pods invent ids for in line with what they list."""
        for service in SERVICES:
            pods = [
                *chosen[service.name],
                *(newcomer.pod for newcomer in late if service in newcomer.services),
            ]
            for kind in definitions(service):
                try:
                    await learn(held, pods, service, kind)
                except Trio2oError as error:
                    log.warning("definitions_unreadable", kind=kind.name, error=str(error))

    async def _brings_nothing(self, held: Holdings, chosen: Sources, late: Newcomer) -> bool:
        """Whether a pod has nothing that the sources do not have; also when nobody can say."""
        for service in late.services:
            if definitions(service) and not chosen[service.name]:
                return False
            for kind in definitions(service):
                try:
                    if not await self._is_known(
                        held, chosen[service.name], service, kind, late.pod
                    ):
                        return False
                except Trio2oError:
                    continue
        return True

    async def _is_known(
        self, held: Holdings, chosen: Sequence[Pod], service: Service, kind: Resource, pod: Pod
    ) -> bool:
        if not (kind.definition and kind.definition.owned):
            return await has_all(held, chosen, service, kind, pod)
        for user in await held.users():
            mine = await held.of_user([pod], service, kind, user)
            if mine and not mine.keys() <= (await held.of_user(chosen, service, kind, user)).keys():
                return False
        return True

    async def _admit(self, view: View, held: Holdings, chosen: Sources, late: Newcomer) -> bool:
        """Give a pod what the sources have; True when it is ready now."""
        report, pod = Report(), late.pod
        for service in late.services:
            if chosen[service.name]:
                await self._giving.give(held, service, pod, chosen[service.name], report)
        if report.complete:
            for service in late.services if late.gains else ():
                await self._store.put_fact(pod.name, f"{GAINED}{service.name}", report.problems)
            names = [service.name for service in SERVICES if view.endpoint(pod.name, service.name)]
            await self._store.put_fact(pod.name, GIVEN_SERVICES, sorted(names))
            if not late.gains:
                await self._store.put_fact(pod.name, FACT, report.problems)
            gained = [service.name for service in late.services] if late.gains else []
            log.info("pod_ready", pod=pod.name, gained=gained, problems=report.problems)
        return report.complete


async def learn(held: Holdings, pods: Sequence[Pod], service: Service, kind: Resource) -> None:
    """Bring the ids of a kind in line with what pods list, if pods invent them; Trio2oError."""
    # What nobody else has is nobody's copy.
    if kind.mapped and len(pods) > 1:
        await held.learn(pods, service, kind)


async def has_all(
    held: Holdings, chosen: Sequence[Pod], service: Service, kind: Resource, pod: Pod
) -> bool:
    """Whether the chosen pods have all of a kind that a pod has; PodUnreachable."""
    own = await held.of([pod], service, kind)
    return not own or own.keys() <= (await held.of(chosen, service, kind)).keys()


def _names(value: object) -> Sequence[object]:
    """Read the names of services in a fact."""
    return value if isinstance(value, list) else ()


def _newcomer(view: View, pod: Pod, *, gains: bool) -> Newcomer:
    """Say what a pod is to be given: of one that is ready, of the services it has gained."""
    services = [
        service
        for service in SERVICES
        if view.endpoint(pod.name, service.name)
        and (not gains or service.name in view.facts[pod.name].lacks)
    ]
    return Newcomer(pod, services, gains)
