"""Values that users have once and every pod keeps: quotas, and default types of projects.

They have no list of their own. What is written through the gateway is remembered by path, so that
a pod that comes later is told; what was set in a pod before it had a gateway is found for the
projects that are bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from control_plane.model.binding import Binding
from control_plane.model.copy import USERS
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.replication.copies import Copies
from control_plane.replication.own import Own
from control_plane.replication.state import Asker, Declined
from control_plane.replication.write import Write
from control_plane.services.operation import Operation
from control_plane.services.service import Service

_FACT = "kept/"
_PROJECT = "project"


class KeptStore(Protocol):
    """The part of the store that keeps values, and who is bound."""

    async def facts(self, pod: str) -> Mapping[str, object]:
        """Read what is stored of a pod, or of what users have once."""

    async def put_fact(self, pod: str, key: str, value: object) -> None:
        """Store one fact."""

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        """Read bindings."""


class Kept:
    """Knows which values a pod is to keep."""

    def __init__(self, asker: Asker, copies: Copies, own: Own, store: KeptStore) -> None:
        """Take what asks pods, knows their ids, who asks, and where values are remembered."""
        self._asker = asker
        self._copies = copies
        self._own = own
        self._store = store

    async def note(self, write: Write, version: str) -> None:
        """Remember what a write has set in all pods, or that it took it away."""
        key = write.operation.kept
        known = await self._known()
        if write.method == "DELETE":
            for fact, value in known.items():
                if value["service"] == write.service.name and _within(value["path"], write.rest):
                    await self._store.put_fact(USERS, fact, {})
        elif isinstance(write.body, dict) and isinstance(write.body.get(key), dict):
            fact = _fact(write.service, write.rest)
            before = known.get(fact, {"values": {}, "version": version})
            value = {
                "service": write.service.name,
                "path": write.rest,
                "key": key,
                # Later ones know fewer values.
                "version": min(version, before["version"], key=_number),
                "values": {**before["values"], **write.body[key]},
            }
            await self._store.put_fact(USERS, fact, value)

    async def of(self, service: Service, source: Pod) -> list[Intent]:
        """Say what a pod is to be told: what was written, and what bound projects have elsewhere.

        Raises PodUnreachable when `source`, which has it, does not answer.
        """
        found: dict[str, Intent] = {}
        for value in (await self._known()).values():
            if value["service"] == service.name:
                found[value["path"]] = _remembered(value)
        projects = sorted({entry.project_id for entry in await self._store.bindings()})
        for row in service.operations:
            if row.kept and "PUT" in row.methods and f"{{{_PROJECT}}}" in row.path:
                for project in projects:
                    there = await self._set(service, row, source, project)
                    if there is not None:
                        found.setdefault(there.path, there)
        return list(found.values())

    async def _known(self) -> dict[str, Any]:
        """Read what is remembered, by the names of the facts."""
        facts = await self._store.facts(USERS)
        return {name: value for name, value in facts.items() if name.startswith(_FACT) and value}

    async def _set(
        self, service: Service, row: Operation, source: Pod, project: str
    ) -> Intent | None:
        """Read what a project has in a pod beside what holds there anyway."""
        version = str(row.since) if row.since else ""
        write = await self._own.speak(service, version, operation=row, params={_PROJECT: project})
        values = await read_kept(self._asker, source, write)
        if values is None:
            return None
        usual: dict[str, Any] | None = {}
        if row.defaults:
            defaults = replace(write, operation=replace(row, path=row.defaults))
            usual = await read_kept(self._asker, source, defaults)
            if usual is None:
                return None
        values = named(values, row.sets, usual or {})
        for ref in row.copies:
            name = ref.path.rpartition(".")[2]
            if name in values:
                values[name] = self._copies.user_id(ref.resource, source.name, values[name])
        return _intent(service.name, write.rest, row.kept, version, values) if values else None


async def read_kept(asker: Asker, pod: Pod, write: Write) -> dict[str, Any] | None:
    """Read the values that a write sets; None: there are none. Declined, PodUnreachable."""
    answer = await asker.ask(pod, write.request("GET", write.rest))
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise Declined(answer, f"GET {write.rest}")
    kept: dict[str, Any] = msgspec.json.decode(answer.body)[write.operation.kept]
    return kept


def named(
    values: Mapping[str, Any], names: Sequence[str], now: Mapping[str, Any]
) -> dict[str, Any]:
    """Put values under the names by which they are set; what is so `now` is left out.

    A default type is set as `volume_type` and shown as `volume_type_id`. Without names all numbers
    are meant.
    """
    old = {name: values.get(name, values.get(f"{name}_id")) for name in names}
    if not old:
        old = {name: value for name, value in values.items() if isinstance(value, int)}
    return {
        name: value for name, value in old.items() if value is not None and now.get(name) != value
    }


def _fact(service: Service, path: str) -> str:
    """Name the fact of a path, which may be longer than the name of a fact."""
    return _FACT + blake2b(f"{service.name}{path}".encode(), digest_size=16).hexdigest()


def _within(path: str, gone: str) -> bool:
    """Whether a path is one that is gone, or of a user of the project whose path that is."""
    return path == gone or path.partition("?")[0] == gone


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()


def _remembered(value: Mapping[str, Any]) -> Intent:
    return _intent(*(value[name] for name in ("service", "path", "key", "version", "values")))


def _intent(service: str, path: str, key: str, version: str, values: Mapping[str, Any]) -> Intent:
    return Intent("", "", service, "PUT", path, {key: dict(values)}, version)
