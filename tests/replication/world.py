"""Everything of replication put together over pods in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from control_plane.model.binding import Binding
from control_plane.model.caller import Caller
from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import unavailable
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.replication.arrival import Arrival
from control_plane.replication.bringing import Bringing
from control_plane.replication.broadcast import Broadcast, Outcome
from control_plane.replication.copies import Copies
from control_plane.replication.giving import Giving
from control_plane.replication.holdings import Holdings
from control_plane.replication.inventory import Inventory
from control_plane.replication.kept import Kept
from control_plane.replication.own import Own
from control_plane.replication.pending import Pending
from control_plane.replication.replay import Replay
from control_plane.replication.rounds import Rounds
from control_plane.replication.write import Write
from control_plane.services.catalog import SERVICES, service_named
from control_plane.services.table import Table
from tests.replication.memory import MemoryCopies, MemoryIntents
from tests.replication.pods import POD1, POD2, POD3, Pods

TABLES = {service.name: Table(service) for service in SERVICES}
CALLER = Caller("user", "project", frozenset({"admin"}), "token")


class Keystone:
    """The gateway's own user, and the users there are."""

    def __init__(self) -> None:
        self.away = False

    async def token(self) -> str:
        return "own"

    async def verify(self, token: str) -> Caller:
        if self.away:
            message = "The identity service could not be reached."
            raise unavailable(message)
        return Caller("gateway", "project", frozenset({"admin"}), token)

    async def users(self) -> list[str]:
        return ["user", "other"]


class Facts:
    """The tables `facts` and `bindings`, and a look into `intents`."""

    def __init__(self, intents: MemoryIntents) -> None:
        self.rows: dict[str, dict[str, object]] = {}
        self.projects: list[str] = []
        self.intents = intents.intents

    async def pods_with_fact(self, key: str) -> set[str]:
        return {pod for pod, row in self.rows.items() if key in row}

    async def each_with_fact(self, key: str) -> Mapping[str, tuple[object, datetime]]:
        begun = datetime(2026, 1, 1, tzinfo=UTC)
        return {
            pod: (row[key], begun + timedelta(seconds=number))
            for number, (pod, row) in enumerate(self.rows.items())
            if key in row
        }

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        now = datetime.now(UTC)
        return [Binding(name, name, "az1", "id1", now) for name in self.projects]

    async def facts(self, pod: str) -> Mapping[str, object]:
        return self.rows.get(pod, {})

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        self.rows.setdefault(pod, {})[key] = value


class World:
    """Pods, of which a test may take some away, and what replicates between them."""

    def __init__(self, *services: str, pods: Sequence[Pod] = (POD1, POD2, POD3)) -> None:
        self.now = 0.0
        self.pods = Pods(*(pod.name for pod in pods))
        self.store = MemoryCopies()
        self.intents = MemoryIntents()
        self.facts = Facts(self.intents)
        self.view = _view(services or ("compute", "volume"), pods)
        self.keystone = keystone = Keystone()
        own = Own(keystone, keystone)
        self.inventory = Inventory(self.pods, own, lambda: self.view)
        self.copies = Copies(self.store, self.inventory)
        replay = Replay(self.pods, self.copies, own, TABLES)
        kept = Kept(self.pods, self.copies, own, self.facts)
        self.everywhere = Broadcast(self.pods, self.copies, self.intents, kept)
        self.bringing = Bringing(self.pods, own, self.intents, lambda: self.now)
        self.pending = Pending(self.pods, self.copies, self.intents, replay)
        self.kept = kept

        def holdings() -> Holdings:
            return Holdings(self.pods, self.copies, self.inventory, own, kept, keystone)

        def arrival() -> Arrival:
            return Arrival(holdings, Giving(self.pods, self.copies, self.facts, replay), self.facts)

        #: Another replica's, with nothing in its memory.
        self.other_arrival = arrival
        self.arrival = arrival()
        self.rounds = Rounds(holdings, self.arrival, self.facts)

    async def write(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        version: str = "",
        disabled: tuple[str, ...] = (),
    ) -> Outcome:
        """Carry a write out as the handler does."""
        place, _, query = path.partition("?")
        match = TABLES[service].match(method, place)
        write = Write(
            service_named(service),
            match.operation,
            method,
            match.params,
            parse_qsl(query),
            json.dumps(body).encode() if body is not None else None,
            body,
            {"x-auth-token": "user", **({"content-type": "application/json"} if body else {})},
            service_named(service).versions[0],
        )
        asked = [pod for pod in (POD1, POD2, POD3) if pod.name not in disabled]
        silent = [pod for pod in (POD1, POD2, POD3) if pod.name in disabled]
        return await self.everywhere.carry_out(write, asked, CALLER, version, silent)

    async def drain(self) -> None:
        """Carry intents out, all of them due."""
        for number, row in self.intents.rows.items():
            self.intents.rows[number] = replace(row, due_at=self.intents.now)
        await self.pending.drain((POD1, POD2, POD3))

    def everything(self, collection: str) -> list[list[str]]:
        """Give the names in each pod."""
        return [
            sorted(str(item["name"]) for item in pod.all(collection).values())
            for pod in self.pods.pods.values()
        ]


def _view(services: Sequence[str], pods: Sequence[Pod]) -> View:
    endpoints = {name: Endpoint.parse("http://pod:80/v2.1") for name in services}
    facts = {pod.name: PodFacts(endpoints) for pod in pods}
    return View(Fleet.of(pods), MappingProxyType(facts))
