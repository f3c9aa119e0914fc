"""What projects used: totals over the servers of a period, with the servers themselves or without.

A page has so many servers, whatever projects they are of. Pods come one after the other, as cells
do inside Nova: the pod that knows the marker goes on behind it, the pods after it begin at their
first server.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import Document, document, silence, zones_of
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.lists.answer import next_query
from control_plane.lists.inquiry import read
from control_plane.model.errors import unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.operation import Resource

#: A project's servers, and the id of one.
_SERVERS = "server_usages"
_SERVER = "instance_id"
_TOTAL = "total_"
#: What the gateway words anew for each pod.
_OWN = frozenset({"limit", "marker"})
_DETAILED = "detailed"


async def usage(cloud: Cloud, call: Call) -> Decision:
    """Answer the usage of one project, or of all, from all pods."""
    await cloud.identify(call)
    return await _Usage(cloud, call).reply()


class _Usage:
    """One question about usage."""

    def __init__(self, cloud: Cloud, call: Call) -> None:
        self._cloud = cloud
        self._call = call
        self._resource: Resource = call.service.resources[call.operation.answer]
        paging = call.service.paging
        inquiry = read(call.parameters, paging, self._resource, call.version)
        self._limit = inquiry.limit
        self._marker = inquiry.marker
        self._one = bool(call.match.params)
        self._gone: list[Pod] = []

    async def reply(self) -> Reply:
        pods = self._call.view.with_service(self._call.service.name)
        found = await self._answers(pods, self._marker)
        if len(self._gone) == len(pods):
            raise silence()
        pages = await self._cut([document(self._call, answer) for answer in found])
        servers = [server for page in pages for server in self._servers(page)]
        body = self._body(pages)
        if self._limit and len(servers) >= self._limit:
            query = next_query(self._call.parameters, servers[-1][_SERVER])
            own = f"{self._call.gateway}{self._call.location.base}{self._call.pod_path}"
            body[f"{self._key}_links"] = [{"rel": "next", "href": f"{own}?{query}"}]
        return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=zones_of(self._gone))

    @property
    def _key(self) -> str:
        return self._resource.key if self._one else self._resource.plural

    async def _answers(self, pods: Sequence[Pod], marker: str | None) -> list[PodAnswer]:
        """Ask all pods at once; with a marker, those behind the pod that knows it once more."""
        answers, gone = await self._cloud.pods.ask_all(pods, self._request(self._limit, marker))
        names = {entry.pod for entry in gone}
        names |= {
            entry.pod.name for entry in answers if entry.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        }
        answers = [entry for entry in answers if entry.pod.name not in names]
        known = [entry for entry in answers if entry.status < HTTPStatus.BAD_REQUEST]
        if len(known) < len(answers) and (marker is None or not known):
            raise PodRefusal(next(entry for entry in answers if entry not in known))
        if marker is None:
            self._gone += [pod for pod in pods if pod.name in names]
            return answers
        if not known:
            raise silence()
        behind = list(pods)[list(pods).index(known[0].pod) + 1 :]
        rest = await self._answers(behind, None) if behind else []
        return [known[0], *rest]

    async def _cut(self, found: Iterable[Document]) -> list[Document]:
        """Take the pods' pages up to the limit."""
        left = self._limit
        pages: list[Document] = []
        for first in found:
            page = first
            if left is not None and len(self._servers(page)) > left:
                if left == 0:
                    break
                page = await self._page(page.pod, left, None)
            pages.append(page)
            if left is None:
                continue
            left -= len(self._servers(page))
            while left and self._more(page):
                page = await self._page(page.pod, left, self._servers(page)[-1][_SERVER])
                pages.append(page)
                left -= len(self._servers(page))
        return pages

    async def _page(self, pod: Pod, limit: int, marker: str | None) -> Document:
        answers, _ = await self._cloud.pods.ask_all([pod], self._request(limit, marker))
        if not answers:
            message = "A part of the cloud stopped answering in the middle of a list."
            raise unavailable(message)
        if answers[0].status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answers[0])
        return document(self._call, answers[0])

    def _request(self, limit: int | None, marker: str | None) -> PodRequest:
        query = [entry for entry in self._call.parameters if entry[0] not in _OWN]
        if not self._one:
            # Servers are always wanted, to be counted.
            query = [entry for entry in query if entry[0] != _DETAILED]
            query.append((_DETAILED, "1"))
        own = (("limit", limit), ("marker", marker))
        query += [(name, str(value)) for name, value in own if value is not None]
        return self._call.to_pods(query=urlencode(query))

    def _more(self, page: Document) -> bool:
        return bool(page.body.get(f"{self._key}_links")) and bool(self._servers(page))

    def _tenants(self, page: Document) -> list[dict[str, Any]]:
        found = page.body.get(self._key) or []
        return [found] if isinstance(found, dict) else found

    def _servers(self, page: Document) -> list[dict[str, Any]]:
        return [server for entry in self._tenants(page) for server in entry.get(_SERVERS, ())]

    def _body(self, pages: Iterable[Document]) -> dict[str, Any]:
        """Add up the entries of each project; show its servers where they were asked for."""
        merged: dict[str, dict[str, Any]] = {}
        for page in pages:
            for entry in self._tenants(page):
                held = merged.setdefault(entry[self._resource.identity], entry)
                if held is not entry:
                    for name in entry:
                        if name.startswith(_TOTAL) or name == _SERVERS:
                            held[name] += entry[name]
        if self._one:
            return {self._key: next(iter(merged.values()), {})}
        if self._call.parameter(_DETAILED) != "1":
            for entry in merged.values():
                entry.pop(_SERVERS, None)
        return {self._key: list(merged.values())}
