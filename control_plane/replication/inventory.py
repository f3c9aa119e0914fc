"""List the definitions that pods have, with the gateway's own token."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog

from control_plane.model.errors import NOT_JSON, PodUnreachable, Trio2oError
from control_plane.model.pod import Pod
from control_plane.pods.view import View
from control_plane.replication.naming import Listing
from control_plane.replication.own import Own
from control_plane.replication.state import Asker
from control_plane.replication.write import Write
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()

_PAGE = 1000


class Inventory:
    """Knows what there is in pods."""

    def __init__(self, asker: Asker, own: Own, view: Callable[[], View]) -> None:
        """Take what asks pods, and what tells which there are."""
        self._asker = asker
        self._own = own
        self._view = view

    async def listings(self, resource: str) -> Mapping[str, Listing]:
        """Give the ids and names of a mapped resource in each pod that answers."""
        service, kind = definition_named(resource)
        pods = self._view().with_service(service.name)
        try:
            write = await self._own.speak(service, kind.definition.since if kind.definition else "")
        except Trio2oError as error:
            log.warning("definitions_unreadable", resource=resource, error=str(error))
            return {}
        found = await asyncio.gather(*(self._listing(pod, kind, write) for pod in pods))
        return {
            pod.name: listing
            for pod, listing in zip(pods, found, strict=True)
            if listing is not None
        }

    async def _listing(self, pod: Pod, kind: Resource, write: Write) -> Listing | None:
        try:
            items = await self.items(pod, kind, write)
        except PodUnreachable:
            return None
        if items is None:
            return None
        return {str(item[kind.identity]): str(item[kind.merge_by]) for item in items}

    async def items(
        self, pod: Pod, kind: Resource, write: Write, listing: str = ""
    ) -> list[dict[str, Any]] | None:
        """Read a list to its end; None when the pod refuses or says nonsense."""
        path = listing or (kind.definition.listing if kind.definition else "")
        joint = "&" if "?" in path else "?"
        found: list[dict[str, Any]] = []
        marker: Mapping[str, Any] = {}
        while True:
            query = urlencode({"limit": _PAGE, **marker})
            answer = await self._asker.ask(pod, write.request("GET", f"{path}{joint}{query}"))
            if answer.status != HTTPStatus.OK:
                log.warning("definitions_refused", pod=pod.name, path=path, status=answer.status)
                return None
            try:
                document = msgspec.json.decode(answer.body)
                page = [_unwrapped(item, kind) for item in document[kind.plural]]
                found += page
                more = document.get(kind.links_key or "") or len(page) >= _PAGE
                following = {"marker": page[-1][kind.identity]} if page else marker
                # Old versions of some lists know no pages and begin again for ever.
                if not more or following == marker:
                    return found
                marker = following
            except (*NOT_JSON, KeyError, TypeError):
                log.warning("definitions_malformed", pod=pod.name, path=path)
                return None


def _unwrapped(item: dict[str, Any], kind: Resource) -> dict[str, Any]:
    inner: dict[str, Any] = item[kind.item_key] if kind.item_key else item
    return inner


def definition_named(resource: str) -> tuple[Service, Resource]:
    """Find a definition and its service; KeyError when there is none of that name."""
    for service in SERVICES:
        kind = service.resources.get(resource)
        if kind is not None and kind.definition is not None:
            return service, kind
    raise KeyError(resource)


def definitions(service: Service) -> Sequence[Resource]:
    """List a service's definitions in the order in which they must be made."""
    found = [
        (kind.definition.order, kind) for kind in service.resources.values() if kind.definition
    ]
    return [kind for _, kind in sorted(found, key=lambda entry: entry[0])]
