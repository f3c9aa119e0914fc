"""What an intent becomes when it is carried out: a request of the gateway's own to its pod.

A thing that an intent is to make may be there already; what it makes is noted as if its user had
made it.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

import msgspec
from multidict import CIMultiDict

from control_plane.model.intent import Intent
from control_plane.model.microversion import Microversion
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Copies
from control_plane.replication.made import made_id
from control_plane.replication.own import Own, version_headers
from control_plane.replication.restoring import state_of
from control_plane.replication.state import Asker, Copyist
from control_plane.replication.write import Write, is_mapped
from control_plane.services.catalog import service_named
from control_plane.services.operation import Resource
from control_plane.services.reference import references
from control_plane.services.table import Table

_USER_SINCE = Microversion(2, 10)


class Replay:
    """Makes requests of intents, and knows what they have done."""

    def __init__(self, asker: Asker, copies: Copies, own: Own, tables: Mapping[str, Table]) -> None:
        """Take what asks pods, who asks, and what the paths mean."""
        self._asker = asker
        self._copies = copies
        self._own = own
        self._tables = tables

    async def write(self, intent: Intent) -> Write:
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

    async def existing(self, pod: Pod, write: Write) -> PodAnswer | None:
        """Find what a create has made already; also learns its id. None: it is not there."""
        resource = write.service.resources[write.operation.answer]
        name = next(references(write.body, f"{resource.key}.{resource.merge_by}"), "")
        if resource.mapped:
            await self._copies.refresh(resource.name)
            pod_id = self._copies.find(resource.name, name, pod.name)
            shown = msgspec.json.encode({resource.key: {resource.identity: pod_id}})
            return PodAnswer(pod, HTTPStatus.OK, CIMultiDict(), shown) if pod_id else None
        path = resource.probe.format(id=quote(name, safe=""))
        user = write.operation.user
        if user:
            path += f"?user_id={quote(next(references(write.body, user), ''), safe='')}"
        answer = await self._asker.ask(pod, write.request("GET", path))
        return answer if answer.status == HTTPStatus.OK else None

    async def note(self, pod: Pod, write: Write, answer: PodAnswer) -> None:
        """Keep the id of what was made, drop that of what is gone."""
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

    async def restore(self, pod: Pod, intent: Intent) -> None:
        """Make a definition what it was; Declined, Unresolved, PodUnreachable."""
        service = service_named(intent.service)
        match = self._tables[service.name].match("GET", intent.path)
        name, user_id = next(iter(match.params.items()))
        resource = service.resources[name]
        since = resource.definition.since if resource.definition else ""
        copyist = Copyist(self._asker, self._copies, await self._own.speak(service, since))
        pod_id = self._copies.pod_id(name, user_id, pod.name)
        present = await copyist.read(pod, resource, pod_id)
        made = await copyist.alike(pod, resource, pod_id, state_of(intent.body), present)
        if resource.mapped and intent.body is not None and made and made != pod_id:
            await self._copies.replace(resource.name, pod.name, pod_id, made)


def _at_least(version: str, lowest: Microversion) -> str:
    """Raise a microversion to the one that knows for whom a write is."""
    try:
        return str(max(Microversion.parse(version), lowest))
    except ValueError:
        return str(lowest)
