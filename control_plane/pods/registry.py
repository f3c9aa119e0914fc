"""The pods as they are now: who they are, where their services stand, what they speak.

One object a process holds the present `View`; a loop refreshes it from the database, the Keystone
catalog and the pods' version documents, and tells its listeners (the snapshot builder) when the
pods or their endpoints changed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

import structlog

from control_plane.identity.keystone import KeystoneError
from control_plane.model.errors import EgressClosed, PodUnreachable, Trio2oError
from control_plane.model.fleet import Fleet
from control_plane.model.microversion import MicroversionRange
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.pods.facts import (
    GIVEN_SERVICES,
    SILENT,
    PodFacts,
    endpoints_from_json,
    ranges_from_json,
    ranges_to_json,
    version_range,
)
from control_plane.pods.looks import Looks
from control_plane.pods.view import Names, OwnNames, View
from control_plane.services.service import Service

log = structlog.get_logger()

#: How often other replicas' changes of pods are looked for, seconds.
DATABASE_SECONDS = 2.0
#: How often the catalog is read, seconds.
CATALOG_SECONDS = 60.0

_NOWHERE: Mapping[str, str] = {}

Listener = Callable[[View], Awaitable[None]]
#: The versions a pod's services speak, and whether all of them answered.
Said = tuple[dict[str, MicroversionRange], bool]


class FleetStore(Protocol):
    """The part of the store the registry needs."""

    async def fleet(self) -> Fleet:
        """Read all pods."""

    async def facts_of(self, pods: Collection[str]) -> Mapping[str, Mapping[str, object]]:
        """Read what was stored of some pods."""

    async def pods_with_fact(self, key: str) -> Collection[str]:
        """Name the pods of which one fact is stored."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact of a pod."""


class Catalog(Protocol):
    """The part of Keystone the registry needs."""

    async def endpoints(self, catalog_types: tuple[str, ...]) -> dict[str, str]:
        """Read a service's URL in each region."""

    async def refresh_catalog(self) -> None:
        """Forget what was read."""


class Asker(Protocol):
    """Asks a pod."""

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request to one pod."""


async def _nobody(_: View) -> None:
    """Show a view to no one: there is one process."""


class Registry:
    """Holds the present view and keeps it true."""

    def __init__(
        self,
        store: FleetStore,
        catalog: Catalog,
        services: tuple[Service, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with no pods; `asker` is set before `run`, since the client needs the registry."""
        self._store = store
        self._catalog = catalog
        self._services = services
        #: Region -> service -> URL, as the catalog has them.
        self._by_region: dict[str, dict[str, str]] = {}
        #: What the endpoints in the view were made of, by pod.
        self._sources: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {}
        #: Services whose definitions pods that are ready have been given, by pod.
        self._given: dict[str, frozenset[str]] = {}
        self._looks = Looks(clock)
        #: What the view was made of.
        self._seen: tuple[Fleet, Mapping[str, object], Names] | None = None
        self._listeners: list[Listener] = []
        self._changed = asyncio.Event()
        self._lock = asyncio.Lock()
        #: Awaited with every view that says something new, before the listeners.
        self.show: Listener = _nobody
        self.asker: Asker | None = None
        #: The fact without which a pod is not ready; empty: every pod is.
        self.needs = ""
        #: Said by every view after it is set.
        self.names: Names = OwnNames()
        #: Whether pods can be asked: an Envoy that has just started listens when it has them all.
        self.open = False
        self.view = View()

    def subscribe(self, listener: Listener) -> None:
        """Have `listener` awaited with each new view whose pods, or what they offer, differ."""
        self._listeners.append(listener)

    def path_prefix(self, pod: str, service: str) -> str | None:
        """Give what stands before the version in a service's paths inside a pod."""
        endpoint = self.view.endpoint(pod, service)
        return endpoint.path if endpoint else None

    async def start(self) -> None:
        """Build the first view, from the store alone where Keystone does not answer."""
        await self._read_catalog()
        await self.refresh()

    async def refresh(self) -> None:
        """Read the pods again and tell the listeners if they or their endpoints changed."""
        async with self._lock:
            fleet = await self._store.fleet()
            seen = (fleet, self._by_region, self.names)
            if self._is_seen(seen):
                return
            stored, ready = await self._stored(fleet)
            facts = {
                pod.name: self._known(pod, pod.name in ready)
                or await self._facts(pod, stored.get(pod.name, {}), pod.name in ready)
                for pod in fleet
            }
            view = View(fleet, MappingProxyType(facts), self.view.behind, self.names)
            self._seen = seen
            if view == self.view and self.view.names is self.names:
                # What was worked out of the old one is true of the new one.
                return
            before, self.view = self.view, view
        await self.show(view)
        if before.fleet != view.fleet or before.endpoints != view.endpoints:
            for listener in self._listeners:
                await listener(view)
            self._changed.set()

    def _is_seen(self, seen: tuple[Fleet, Mapping[str, object], Names]) -> bool:
        """Whether the view was made of the very same, and no pod waits to be ready."""
        before = self._seen
        return (
            before is not None
            and all(now is then for now, then in zip(seen, before, strict=True))
            and not (self.needs and self.view.arriving)
        )

    async def fall_behind(self, behind: Iterable[tuple[str, str]]) -> None:
        """Note which services of which pods have not been told everything."""
        now = frozenset(behind)
        if now != self.view.behind:
            self.view = replace(self.view, behind=now)
            await self.show(self.view)

    def suspect(self, pod: str) -> None:
        """Look at a pod that did not answer a request; sooner than it would be its turn."""
        if self._looks.soon(pod):
            self._changed.set()

    async def _stored(
        self, fleet: Fleet
    ) -> tuple[Mapping[str, Mapping[str, object]], Collection[str]]:
        """Read what is stored of the pods that are new, and which of the others are ready now.

        Reads nothing when there are none: that is how it is every two seconds.
        """
        known = self.view.facts
        new = [pod.name for pod in fleet if pod.name not in known]
        stored = await self._store.facts_of(new) if new else {}
        if not self.needs:
            return stored, {pod.name for pod in fleet}
        waiting = [pod.name for pod in fleet if pod.name in known and not known[pod.name].settled]
        if not waiting and not new:
            return stored, ()
        ready = await self._store.pods_with_fact(self.needs)
        given = [name for name in waiting if name in ready]
        if given:
            stored = {**stored, **await self._store.facts_of(given)}
        return stored, ready

    def _known(self, pod: Pod, ready: bool) -> PodFacts | None:  # noqa: FBT001 - as `_facts`
        """Give what is known of a pod of which nothing has changed."""
        known = self.view.facts.get(pod.name)
        source = self._sources.get(pod.name)
        same = (
            source is not None
            and source[1] is pod.endpoints
            and source[0] is self._by_region.get(pod.name, _NOWHERE)
        )
        return known if known is not None and same and (known.settled or not ready) else None

    async def _facts(
        self,
        pod: Pod,
        stored: Mapping[str, object],
        ready: bool,  # noqa: FBT001 - given by position to every pod
    ) -> PodFacts:
        known = self.view.facts.get(pod.name)
        urls = self._by_region.get(pod.name, _NOWHERE)
        source = (urls, pod.endpoints)
        if known is None:
            known = PodFacts(versions=ranges_from_json(stored.get("versions")), ready=ready)
        elif ready and not known.ready:
            known = replace(known, ready=True)
        if self._sources.get(pod.name) == source and pod.name in self.view.facts:
            self._sources[pod.name] = source
            return await self._compared(pod, known, stored)
        if urls:
            if endpoints_from_json(urls) != known.endpoints and urls != stored.get("endpoints"):
                await self._store.put_fact(pod.name, "endpoints", urls)
            catalog = endpoints_from_json(urls)
        elif known.endpoints:
            catalog = dict(known.endpoints)
        else:
            catalog = endpoints_from_json(stored.get("endpoints"))
        self._sources[pod.name] = source
        self._looks.forget(pod.name)
        endpoints = {**catalog, **endpoints_from_json(dict(pod.endpoints))}
        return await self._compared(pod, replace(known, endpoints=endpoints), stored)

    async def _compared(self, pod: Pod, facts: PodFacts, stored: Mapping[str, object]) -> PodFacts:
        """Note the services that a ready pod has gained since it was given definitions.

        What it has lost is noted, too: it will not hear of what is changed until it has it again.
        """
        if not self.needs or not facts.ready:
            self._given.pop(pod.name, None)
            return facts
        if not facts.endpoints:
            return facts
        listed = stored.get(GIVEN_SERVICES)
        given = frozenset(listed) if isinstance(listed, list) else self._given.get(pod.name)
        has = frozenset(facts.endpoints)
        # Nothing was noted of it yet: what it has it was given.
        now = has if given is None else given & has
        if now != given:
            await self._store.put_fact(pod.name, GIVEN_SERVICES, sorted(now))
        self._given[pod.name] = now
        return replace(facts, lacks=has - now)

    async def _read_catalog(self) -> None:
        found: dict[str, dict[str, str]] = {}
        try:
            for service in self._services:
                places = await self._catalog.endpoints(service.catalog_types)
                for region, url in places.items():
                    found.setdefault(region, {})[service.name] = url
        except KeystoneError as error:
            log.warning("catalog_unreadable", error=str(error))
        else:
            self._by_region = found

    async def ask_versions(self, pods: Sequence[Pod] | None = None) -> None:
        """Ask pods, by default each, for their version documents; also notes which answer.

        Nothing is noted of any while no Envoy listens.
        """
        pods = self.view.fleet.serving if pods is None else pods
        found = await self._ask_each(pods)
        if found is None:
            return
        for pod, (versions, _) in zip(pods, found, strict=True):
            known = self.view.facts.get(pod.name, PodFacts())
            merged = {**known.versions, **versions}
            if merged != known.versions:
                await self._store.put_fact(pod.name, "versions", ranges_to_json(merged))
        # From here on nothing is awaited: a refresh in between must not be undone.
        facts, changed = dict(self.view.facts), dict[str, PodFacts]()
        for pod, (versions, answered) in zip(pods, found, strict=True):
            known = facts.get(pod.name, PodFacts())
            misses = 0 if answered else min(known.misses + 1, SILENT)
            now = replace(known, versions={**known.versions, **versions}, misses=misses)
            if now.reachable != known.reachable:
                log.info("pod_reachable" if now.reachable else "pod_unreachable", pod=pod.name)
            if now != known or pod.name not in facts:
                facts[pod.name] = changed[pod.name] = now
        if not changed:
            return
        before, self.view = self.view, replace(self.view, facts=MappingProxyType(facts))
        await self.show(self.view)
        if any(_said(entry) != _said(before.facts.get(pod)) for pod, entry in changed.items()):
            for listener in self._listeners:
                await listener(self.view)

    async def _ask_each(self, pods: Sequence[Pod]) -> list[Said] | None:
        """Ask each pod; None when there is no Envoy to ask through."""
        asker = self.asker
        if asker is None:
            return None
        try:
            if pods and not self.open:
                await self._versions_of(asker, pods[0])
                self.open = True
            self._looks.note(pods)
            return await asyncio.gather(*(self._versions_of(asker, pod) for pod in pods))
        except EgressClosed:
            self.open = False
            return None

    def _due(self) -> list[Pod]:
        """Find the pods to ask now."""
        view = self.view
        return self._looks.due(view.fleet.serving, view.facts.get, DATABASE_SECONDS)

    async def _versions_of(self, asker: Asker, pod: Pod) -> Said:
        found: dict[str, MicroversionRange] = {}
        reachable = True
        for service in self._services:
            if service.microversions is None or not self.view.endpoint(pod.name, service.name):
                continue
            request = PodRequest(service.name, "GET", "/", {"accept": "application/json"})
            try:
                answer = await asker.ask(pod, request)
            except EgressClosed:
                raise
            except PodUnreachable:
                reachable = False
                continue
            versions = version_range(answer.body)
            if versions is not None:
                found[service.name] = versions
        return found, reachable

    async def run(self) -> None:
        """Keep the view true until cancelled."""
        catalog_at = time.monotonic() + CATALOG_SECONDS
        while True:
            try:
                if time.monotonic() >= catalog_at:
                    await self._catalog.refresh_catalog()
                    await self._read_catalog()
                    catalog_at = time.monotonic() + CATALOG_SECONDS
                await self.refresh()
                self._changed.clear()
                await self.ask_versions(self._due())
            except (Trio2oError, OSError) as error:
                log.warning("refresh_failed", error=str(error))
            except Exception:
                # Also of a database that is restarted, whatever its driver calls that: what is
                # known of the pods goes on to be good.
                log.exception("refresh_failed")
            try:
                await asyncio.wait_for(self._changed.wait(), DATABASE_SECONDS)
            except TimeoutError:
                continue


def _said(facts: PodFacts | None) -> tuple[object, bool] | None:
    """Reduce what a pod said to what others depend on."""
    return None if facts is None else (facts.versions, facts.reachable)
