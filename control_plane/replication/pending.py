"""Carry out the intents of pods that could not be told at the time.

Intents for one subject go in their order; different subjects do not wait for each other. A create
that may have reached its pod looks for the thing before it is sent again.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, quote

import structlog

from control_plane.model.errors import PodUnreachable, Refused
from control_plane.model.intent import Intent
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Copies, Unresolved
from control_plane.replication.made import made_id
from control_plane.replication.own import Own, version_headers
from control_plane.replication.state import Asker
from control_plane.replication.write import Write, is_mapped
from control_plane.services.catalog import service_named
from control_plane.services.operation import Resource
from control_plane.services.reference import references
from control_plane.services.table import Table

log = structlog.get_logger()

#: How long a replica has to carry an intent out before another one may try, seconds.
LEASE_SECONDS = 120.0
#: The longest wait between two tries, seconds.
LONGEST_WAIT = 5.0
_AGAIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, 429})
_USER_SINCE = Microversion(2, 10)
_REASON = 500


class IntentStore(Protocol):
    """The part of the store that keeps intents."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read intents in their order."""

    async def claim(self, intent_id: int, seconds: float, *, sent: bool) -> bool:
        """Take an intent that is due."""

    async def postpone(self, intent_id: int, seconds: float, reason: str) -> None:
        """Let it be due again later."""

    async def refuse(self, intent_id: int, reason: str) -> None:
        """Keep it as refused for good."""

    async def finish(self, intent_id: int) -> None:
        """Take it out."""


class Pending:
    """Carries intents out with the gateway's own token."""

    def __init__(
        self,
        asker: Asker,
        copies: Copies,
        intents: IntentStore,
        own: Own,
        tables: Mapping[str, Table],
    ) -> None:
        """Take what asks pods, what keeps intents, and who asks."""
        self._asker = asker
        self._copies = copies
        self._intents = intents
        self._own = own
        self._tables = tables

    async def drain(self, pods: Sequence[Pod]) -> None:
        """Try every intent of some pods that is due, once."""
        waiting: dict[str, list[Intent]] = {}
        for intent in await self._intents.intents():
            if not intent.refused:
                waiting.setdefault(intent.pod, []).append(intent)
        for pod in pods:
            await self._drain(pod, waiting.get(pod.name, []))

    async def _drain(self, pod: Pod, intents: Sequence[Intent]) -> None:
        blocked: set[str] = set()
        for intent in intents:
            if intent.subject in blocked:
                continue
            try:
                done = await self._try(pod, intent)
            except PodUnreachable as error:
                wait = min(2.0**intent.attempts, LONGEST_WAIT)
                await self._intents.postpone(intent.id, wait, error.reason)
                return
            if not done:
                blocked.add(intent.subject)

    async def _try(self, pod: Pod, intent: Intent) -> bool:
        """Try one intent; True when the next one for its subject may go."""
        try:
            write = await self._write(intent)
        except Refused as error:
            # No row of the tables knows it any more; nobody can ever carry it out.
            await self._intents.refuse(intent.id, error.message)
            return True
        try:
            for name, value in write.params.items():
                if is_mapped(write.service, name):
                    await self._copies.resolve(name, value)
            request = write.to_pod(pod, self._copies)
        except Unresolved as error:
            return await self._lacking(pod, intent, error)
        if not await self._intents.claim(intent.id, LEASE_SECONDS, sent=write.operation.creates):
            return False
        if intent.sent and write.operation.creates and await self._exists(pod, write):
            await self._intents.finish(intent.id)
            return True
        answer = await self._asker.ask(pod, request)
        return await self._judge(pod, intent, write, answer)

    async def _lacking(self, pod: Pod, intent: Intent, error: Unresolved) -> bool:
        """Wait for what the intent names, and forget a delete of what is not there."""
        await self._copies.refresh(error.resource)
        if self._copies.lacks(error.resource, error.user_id, pod.name):
            if intent.method == "DELETE":
                await self._intents.finish(intent.id)
                return True
            if await self._intents.claim(intent.id, LEASE_SECONDS, sent=False):
                await self._intents.postpone(intent.id, LONGEST_WAIT, str(error))
        return False

    async def _judge(self, pod: Pod, intent: Intent, write: Write, answer: PodAnswer) -> bool:
        status = answer.status
        creates = write.operation.creates
        if status < HTTPStatus.BAD_REQUEST:
            await self._note(pod, write, answer)
        elif status == HTTPStatus.CONFLICT and creates and await self._exists(pod, write):
            pass
        elif status == HTTPStatus.CONFLICT and intent.sent:
            pass  # what it asks for was done when it was sent the first time
        elif status == HTTPStatus.NOT_FOUND and intent.method == "DELETE":
            pass
        elif status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = min(2.0**intent.attempts, LONGEST_WAIT)
            await self._intents.postpone(intent.id, wait, _told(answer))
            return False
        else:
            log.error("intent_refused", pod=pod.name, subject=intent.subject, status=status)
            await self._intents.refuse(intent.id, _told(answer))
            return True
        log.info("intent_done", pod=pod.name, subject=intent.subject, method=intent.method)
        await self._intents.finish(intent.id)
        return True

    async def _write(self, intent: Intent) -> Write:
        """Make the request of an intent; Refused when no row of the tables knows it."""
        service = service_named(intent.service)
        path, _, query = intent.path.partition("?")
        match = self._tables[service.name].match(intent.method, path)
        version = intent.version
        parameters = parse_qsl(query, keep_blank_values=True)
        body = intent.body
        user = match.operation.user
        if user:
            version = _at_least(version, _USER_SINCE)
            if user.startswith("?"):
                if all(key != user[1:] for key, _ in parameters):
                    parameters.append((user[1:], intent.user_id))
            elif isinstance(body, dict):
                key, _, name = user.partition(".")
                body = {**body, key: {name: intent.user_id, **body.get(key, {})}}
        write = await self._own.speak(
            service,
            version,
            operation=match.operation,
            method=intent.method,
            params=match.params,
        )
        raw = json.dumps(body).encode() if body is not None else None
        headers = {**write.headers, **version_headers(service, version)}
        return Write(
            service,
            match.operation,
            intent.method,
            match.params,
            parameters,
            raw,
            body,
            headers,
            write.version,
            write.project,
        )

    async def _exists(self, pod: Pod, write: Write) -> bool:
        """Whether a create has been carried out already; also learns the id if so."""
        resource = write.service.resources[write.operation.answer]
        name = next(references(write.body, f"{resource.key}.{resource.merge_by}"), "")
        if resource.mapped:
            await self._copies.refresh(resource.name)
            return self._copies.find(resource.name, name, pod.name) is not None
        path = resource.probe.format(id=quote(name, safe=""))
        user = write.operation.user
        if user:
            path += f"?user_id={quote(next(references(write.body, user), ''), safe='')}"
        answer = await self._asker.ask(pod, write.request("GET", path))
        return answer.status == HTTPStatus.OK

    async def _note(self, pod: Pod, write: Write, answer: PodAnswer) -> None:
        resource = write.service.resources.get(write.operation.answer)
        if write.operation.creates and resource is not None and resource.mapped:
            await self._learn(pod, resource, write, answer)
        elif write.method == "DELETE" and len(write.params) == 1:
            [(name, thing)] = write.params.items()
            if is_mapped(write.service, name):
                await self._copies.forget(name, thing, [pod.name])

    async def _learn(self, pod: Pod, resource: Resource, write: Write, answer: PodAnswer) -> None:
        pod_id = made_id(answer, resource)
        name = next(references(write.body, f"{resource.key}.{resource.merge_by}"), "")
        if pod_id:
            await self._copies.record(resource.name, name, {pod.name: pod_id})


def _at_least(version: str, lowest: Microversion) -> str:
    """Raise a microversion to the one that knows for whom a write is."""
    try:
        return str(max(Microversion.parse(version), lowest))
    except ValueError:
        return str(lowest)


def _told(answer: PodAnswer) -> str:
    """Say in one line what a pod answered."""
    text = " ".join(answer.body[:_REASON].decode(errors="replace").split())
    return f"{answer.status}: {text}"
