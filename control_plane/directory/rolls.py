"""What pods have of things of which nothing is recorded: their hosts, remembered from their lists.

Nova shows the hosts of a cell that is down from its own records; the gateway has none of a pod's
hosts but the list that the pod last gave. It is asked for now and then with the gateway's own
token, and kept in the store, so that a replica that starts while a pod is down knows it too.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import msgspec
import structlog

from control_plane.model.errors import NOT_JSON, PodUnreachable, Trio2oError
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.pods.view import View
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

#: How old what is remembered may be before the pod is asked again, seconds.
FRESH_SECONDS = 300.0
#: How long a pod that gave no list is left alone, and how often it is looked, seconds.
AGAIN_SECONDS = 5.0
LOOK_SECONDS = 5.0
#: How many pods are asked at one look: of a thousand all at once would stop all else.
AT_ONCE = 50

Record = Mapping[str, object]


class RollStore(Protocol):
    """The part of the store that keeps what pods said."""

    async def facts(self, pod: str) -> Mapping[str, object]:
        """Read what is stored of a pod."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact of a pod."""


class Asker(Protocol):
    """Asks a pod."""

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request to one pod."""


class Tokens(Protocol):
    """Gives the gateway's own token."""

    async def token(self) -> str:
        """Give a valid token; KeystoneError if there is none."""


class Rolls:
    """Remembers the lists that the tables want to be known of pods that do not answer."""

    def __init__(
        self,
        store: RollStore,
        asker: Asker,
        tokens: Tokens,
        services: Sequence[Service],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what is asked, as whom, and where it is kept."""
        self._store = store
        self._asker = asker
        self._tokens = tokens
        self._wanted = [
            (service, resource)
            for service in services
            for resource in service.resources.values()
            if resource.lists.lost is not None and resource.lists.lost.roll is not None
        ]
        self._clock = clock
        self._due: dict[tuple[str, str], float] = {}
        self._kept: dict[tuple[str, str], object] = {}

    async def of(self, pod: str, resource: str) -> list[dict[str, object]]:
        """Give the records that a pod last listed, in its own words; empty when it never did."""
        stored = (await self._store.facts(pod)).get(_key(resource))
        records = stored if isinstance(stored, list) else []
        return [dict(record) for record in records if isinstance(record, dict)]

    async def look(self, view: View) -> None:
        """Ask the pods whose records are not fresh."""
        now = self._clock()
        asked = [
            (due, pod, service, resource)
            for service, resource in self._wanted
            for pod in view.with_service(service.name)
            if (due := self._due.get((pod.id, resource.name), 0.0)) <= now
        ]
        if asked:
            asked.sort(key=lambda entry: entry[0])
            token = await self._tokens.token()
            await asyncio.gather(*(self._take(*entry[1:], token) for entry in asked[:AT_ONCE]))

    async def _take(self, pod: Pod, service: Service, resource: Resource, token: str) -> None:
        # Not by its name: a pod of that name may have been taken out, and what it said with it.
        key = (pod.id, resource.name)
        self._due[key] = self._clock() + AGAIN_SECONDS
        roll = resource.lists.lost.roll if resource.lists.lost else None
        if roll is None:
            return
        path = f"/{service.versions[0]}{roll.path}"
        try:
            request = PodRequest(service.name, "GET", path, {"x-auth-token": token})
            answer = await self._asker.ask(pod, request)
        except PodUnreachable:
            return
        records = _records(answer, resource.plural, roll.fields)
        if records is None:
            return
        self._due[key] = self._clock() + FRESH_SECONDS
        if self._kept.get(key) != records:
            await self._store.put_fact(pod.name, _key(resource.name), records)
            self._kept[key] = records

    async def run(self, view: Callable[[], View]) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look(view())
            except (Trio2oError, OSError) as error:
                log.warning("rolls_not_taken", error=str(error))
            except Exception:
                log.exception("rolls_not_taken")
            await asyncio.sleep(LOOK_SECONDS)


def _key(resource: str) -> str:
    return f"roll/{resource}"


def _records(answer: PodAnswer, plural: str, fields: Sequence[str]) -> list[Record] | None:
    """Read the fields of a list's items; None when the answer is no such list."""
    if answer.status != HTTPStatus.OK:
        return None
    try:
        items = msgspec.json.decode(answer.body)[plural]
        return [{name: item[name] for name in fields} for item in items]
    except (*NOT_JSON, KeyError, TypeError):
        return None
