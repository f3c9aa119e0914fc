"""Aggregate: a list over all pods, asked in parallel, merged, cut to a page and streamed back."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus

import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import refusal_of
from control_plane.handlers.translate import Translation
from control_plane.lists.answer import next_query, write
from control_plane.lists.inquiry import Inquiry, read
from control_plane.lists.merge import Merged, merge
from control_plane.lists.page import MalformedPage, Page, decode, reduce
from control_plane.model.errors import PodUnreachable, Refused, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

log = structlog.get_logger()

#: What pods are asked for at once when the client set no limit, items.
BATCH = 1000
CHUNK = 256 * 1024


async def aggregate(cloud: Cloud, call: Call) -> Decision:
    """Answer a list from all pods; what could not be asked is named in `x-trio2o-missing`."""
    await cloud.identify(call)
    return await _Listing(cloud, call).reply()


class _Listing:
    """One list for one caller."""

    def __init__(self, cloud: Cloud, call: Call) -> None:
        self._cloud = cloud
        self._call = call
        self._resource: Resource = call.service.resources[call.operation.answer]
        self._paging = call.service.paging
        self._inquiry: Inquiry = read(call.parameters, self._paging, self._resource)
        source = call.operation.source
        self._path = call.sibling(source) if source else call.pod_path
        self._batch = self._first_batch()
        self._translations: dict[str, Translation] = {}

    def _first_batch(self) -> int | None:
        limit = self._inquiry.limit
        if limit is None:
            return None
        if self._inquiry.marker is not None:
            return BATCH
        return min(limit + self._inquiry.offset, BATCH)

    async def reply(self) -> Reply:
        if self._inquiry.limit == 0:
            return Reply(HTTPStatus.OK, self._write([], None))
        pages, missing = await self._first_pages()
        items = await self._collect(pages)
        counts = [page.count for _, page in pages if page.count is not None]
        body = self._write(items, sum(counts) if counts else None)
        return Reply(
            HTTPStatus.OK,
            _chunks(body) if len(body) > CHUNK else body,
            missing=tuple(sorted({pod.availability_zone for pod in missing})),
            reason="merged",
        )

    async def _first_pages(self) -> tuple[list[tuple[Pod, Page]], list[Pod]]:
        """Ask all pods at once; a pod that does not answer, or fails, is missing."""
        call = self._call
        pods = call.view.with_service(call.service.name)
        request = call.to_pods("GET", self._path, self._inquiry.to_pod(self._batch, None))
        answers, unreachable = await self._cloud.pods.ask_all(pods, request)
        missing = [pod for pod in pods if pod.name in {entry.pod for entry in unreachable}]
        pages: list[tuple[Pod, Page]] = []
        refused: list[PodAnswer] = []
        for answer in answers:
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                missing.append(answer.pod)
            elif answer.status >= HTTPStatus.BAD_REQUEST:
                refused.append(answer)
            else:
                pages.append((answer.pod, self._decode(answer)))
        if refused:
            # A request one pod refuses is wrong for all; or it names what only other pods have.
            if not pages or refused[0].status != HTTPStatus.NOT_FOUND:
                raise refusal_of(refused[0])
        elif not pages:
            message = "No part of the cloud answers now."
            raise unavailable(message)
        return pages, missing

    def _decode(self, answer: PodAnswer) -> Page:
        try:
            return decode(answer.body, self._resource, self._inquiry.order)
        except MalformedPage as error:
            log.warning("malformed_page", pod=answer.pod.name, error=str(error))
            message = "A part of the cloud gave an answer that could not be read."
            raise Refused(HTTPStatus.BAD_GATEWAY, message) from error

    async def _fetch(self, pod: Pod, marker: str | None) -> Page:
        query = self._inquiry.to_pod(self._batch, marker)
        request = self._call.to_pods("GET", self._path, query)
        try:
            answer = await self._cloud.pods.ask(pod, request)
        except PodUnreachable as error:
            message = "A part of the cloud stopped answering in the middle of a list."
            raise unavailable(message) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise refusal_of(answer)
        return self._decode(answer)

    async def _collect(self, pages: list[tuple[Pod, Page]]) -> list[Merged]:
        """Merge up to the limit, from behind the marker or the offset on."""
        inquiry = self._inquiry
        skip = inquiry.offset
        waiting = inquiry.marker
        found: list[Merged] = []
        async for merged in merge(pages, self._fetch):
            if not self._resource.replicated:
                self._cloud.directory.learn(merged.item.id, merged.pod.name)
            if waiting is not None:
                if waiting in {merged.item.id, merged.item.identity}:
                    waiting = None
                continue
            if skip:
                skip -= 1
                continue
            found.append(merged)
            if inquiry.limit is not None and len(found) >= inquiry.limit:
                break
        if waiting is not None:
            message = f"marker [{waiting}] not found"
            raise Refused(self._paging.missing_marker, message)
        return found

    def _write(self, found: Sequence[Merged], count: int | None) -> bytes:
        call, resource, fields = self._call, self._resource, self._call.operation.fields
        items = []
        for merged in found:
            raw = merged.item.raw
            if fields:
                raw = self._translation(merged.pod).links(reduce(raw, fields))
            elif not resource.replicated:
                raw = self._translation(merged.pod).item(raw, resource)
            else:
                raw = self._translation(merged.pod).links(raw)
            items.append(raw)
        following = None
        limit = self._inquiry.limit
        asked = self._paging.default is not None or call.parameter("limit") is not None
        linked = resource.links_key is not None and asked
        if found and linked and limit is not None and len(found) >= limit:
            query = next_query(call.parameters, found[-1].item.id)
            following = f"{self._own_url()}?{query}"
        rest = [entry for entry in call.parameters if entry[0] != "marker"]
        query = "&".join(f"{key}={value}" for key, value in rest)
        first = f"{self._own_path()}?{query}" if query else self._own_path()
        return write(resource, items, self._paging.links, following, first, count)

    def _own_path(self) -> str:
        return f"{self._call.location.base}{self._call.pod_path}"

    def _own_url(self) -> str:
        if self._paging.links is LinkForm.RELATIVE:
            # glanceclient puts the path behind the endpoint of the catalog itself.
            return self._call.pod_path
        return f"{self._call.gateway}{self._own_path()}"

    def _translation(self, pod: Pod) -> Translation:
        found = self._translations.get(pod.name)
        if found is None:
            call = self._call
            found = Translation(call.view, pod, call.gateway, call.authority)
            self._translations[pod.name] = found
        return found


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    """Cut a body for streaming, so that Envoy's backpressure holds."""
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
