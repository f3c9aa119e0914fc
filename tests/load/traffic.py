"""Requests of many kinds over many connections; each answer is held against the id it is about."""

import asyncio
import itertools
import json
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.load.client import Answer, Connection
from tests.load.findings import Findings
from tests.load.fleet import Fleet
from tests.load.ids import id_of, pod_of, zone_of
from tests.load.pods import LISTED

_SERVERS = "/compute/v2.1/servers"
#: (share, method, what follows the id, body). What is not here is a list or a create.
_KINDS = (
    (40, "GET", "", b""),
    (25, "GET", "/ips", b""),
    (15, "PUT", "/metadata", b'{"metadata": {"key": "value"}}'),
    (14, "POST", "/action", b'{"os-start": null}'),
)
#: In a thousand requests.
_LISTS, _CREATES, _UNRECORDED = 3, 5, 10
_CREATE = json.dumps(
    {
        "server": {
            "name": "worker",
            "flavorRef": "42",
            "imageRef": "11111111-0000-4000-8000-000000000001",
            "networks": "none",
        }
    }
).encode()
#: What only Envoy and the processor may say to each other, as a client would forge it.
FORGED: Mapping[str, str] = {
    "x-trio2o-cluster": "Pod1/compute",
    "x-trio2o-known": "Pod1/compute",
    "x-trio2o-seen": "Pod1/compute",
    "x-trio2o-early-known": "Pod1/compute",
    "x-trio2o-early-seen": "Pod1/compute",
    "x-trio2o-lane": "full",
    "x-trio2o-learn": "poison|a|Pod1/compute|/v2.1|%22poison%22|%22poison%22||",
    "x-trio2o-asked": "GET http poison Pod1/compute /v2.1/servers/poison",
    "x-trio2o-cache": "poison",
    "x-trio2o-missing": "poison",
    "x-trio2o-pod": "poison",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1",
    "x-envoy-upstream-alt-stat-name": "poison",
    "x-envoy-original-path": "/poison",
    "x-envoy-original-url": "http://poison/",
    "x-envoy-decorator-operation": "poison",
    "x-envoy-external-address": "poison",
    "x-envoy-internal": "poison",
    "x-envoy-retry-on": "poison",
}


@dataclass(slots=True)
class Traffic:
    """A mix of requests until so many are sent.

    Ids below `recorded` are in the database before the run, those up to `known` only in the pods.
    """

    fleet: Fleet
    recorded: int
    known: int
    findings: Findings = field(default_factory=Findings)
    #: Whether one client of eight sends what only Envoy and the processor may.
    forged: bool = False
    #: Set while a worker is being replaced: what it had seen is lost.
    worker_dies: Callable[[int], bool] = lambda _: False
    lists: bool = True
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _created: list[str] = field(default_factory=list)

    async def run(
        self, port: int, requests: int, connections: int, tls: ssl.SSLContext | None = None
    ) -> None:
        """Send so many requests over so many connections."""
        end = self.findings.total + requests
        await asyncio.gather(
            *(self._walk(Connection(port, n, tls), end) for n in range(connections))
        )

    async def _walk(self, connection: Connection, end: int) -> None:
        choose = random.Random(next(self._numbers))
        async with connection:
            while self.findings.total < end:
                kind = choose.randrange(1000)
                if kind < _LISTS and self.lists:
                    await self._list(connection)
                elif kind < _LISTS + _CREATES:
                    await self._create(connection)
                else:
                    fresh = kind < _LISTS + _CREATES + _UNRECORDED
                    await self._one(connection, choose, fresh=fresh)

    async def _one(self, connection: Connection, choose: random.Random, *, fresh: bool) -> None:
        pod = choose.choice(tuple(self.fleet.pods))
        low, high = (self.recorded, self.known) if fresh else (0, self.recorded)
        # Few are asked for again and again, most now and then.
        known = id_of(pod, low + int((high - low) * choose.random() ** 4))
        if self._created and not fresh and choose.random() < 0.02:
            known = choose.choice(self._created)
        (_, method, below, body), *_ = choose.choices(_KINDS, [kind[0] for kind in _KINDS])
        await self._about(connection, method, known, below, body)

    async def _about(
        self, connection: Connection, method: str, known: str, below: str, body: bytes
    ) -> None:
        number, since = next(self._numbers), self.fleet.changes
        pod = pod_of(known)
        path = f"{_SERVERS}/{known}{below}?n={number}"
        answer = await self._ask(connection, method, path, body)
        if answer is None or self._refused(answer, f"{method} {path}", pod, since):
            return
        expected = f"{pod} {known} {number}"
        if answer.headers.get("x-stand-in") != expected:
            self._fault("answered by another", f"{method} {path}", answer)
        if method == "GET" and below == "" and answer.status == 200:
            server = json.loads(answer.body)["server"]
            zone = server["OS-EXT-AZ:availability_zone"]
            if server["id"] != known or zone != zone_of(pod):
                self._fault("not its document", path, answer)

    async def _list(self, connection: Connection) -> None:
        path, since = f"{_SERVERS}/detail", self.fleet.changes
        before = set(self.fleet.pods)
        answer = await self._ask(connection, "GET", path)
        if answer is None or self._refused(answer, path, None, since):
            return
        servers = json.loads(answer.body)["servers"]
        found: dict[int, int] = {}
        for server in servers:
            pod = pod_of(server["id"])
            found[pod] = found.get(pod, 0) + 1
            shown = server["OS-EXT-AZ:availability_zone"]
            if shown != zone_of(pod):
                self._fault(f"{server['id']} shown in {shown}", path, answer)
        missing = {pod for pod in before if pod not in found}
        if any(count != LISTED for count in found.values()):
            self._fault(f"listed {found}", path, answer)
        for pod in missing:
            named = answer.headers.get("x-trio2o-missing", "").split(", ")
            if not self.fleet.may_fail(pod, since) or zone_of(pod) not in named:
                self._fault(f"{pod} is missing, {named} is named", path, answer)

    async def _create(self, connection: Connection) -> None:
        since = self.fleet.changes
        answer = await self._ask(connection, "POST", _SERVERS, _CREATE)
        if answer is None:
            return
        any_pod = next(iter(self.fleet.down), None)
        if self._refused(answer, f"POST {_SERVERS}", any_pod, since):
            return
        known = json.loads(answer.body)["server"]["id"]
        if len(self._created) < 10_000:
            self._created.append(known)
        await self._about(connection, "GET", known, "", b"")

    async def _ask(
        self, connection: Connection, method: str, path: str, body: bytes = b""
    ) -> Answer | None:
        try:
            forged = FORGED if self.forged and connection.number % 8 == 0 else None
            answer = await connection.ask(method, path, body, forged)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.findings.count("broken")
            self.findings.fault(f"{method} {path}: {error!r}")
            return None
        self.findings.count(str(answer.status))
        for name, value in answer.headers.items():
            inner = name.startswith("x-trio2o-") and name != "x-trio2o-missing"
            if (inner and value) or name.startswith("x-envoy-") or "poison" in value:
                self._fault(f"{name} is shown", f"{method} {path}", answer)
        return answer

    def _refused(self, answer: Answer, asked: str, pod: int | None, since: int) -> bool:
        """Whether an answer is none; what may not be refused is a fault."""
        if answer.status in (200, 202):
            return False
        allowed = answer.status == 503 and "retry-after" in answer.headers
        down = self.fleet.may_fail(pod, since) if pod is not None else False
        if allowed and down:
            self.findings.count("of a stopped pod")
            self.findings.answers["503"] -= 1
        elif allowed and self.worker_dies(since):
            self.findings.count("lost with a worker")
            self.findings.answers["503"] -= 1
        else:
            self._fault("refused", asked, answer)
        return True

    def _fault(self, what: str, asked: str, answer: Answer) -> None:
        request = answer.headers.get("x-openstack-request-id", "no request id")
        self.findings.fault(
            f"{what}: {asked}: {answer.status} {request}"
            f" {answer.headers.get('x-stand-in', '')} {answer.body[:200]!r}"
        )
