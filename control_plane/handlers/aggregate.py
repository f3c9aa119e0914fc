"""Aggregate: a list over all pods, asked in parallel, merged, cut to a page and streamed back.

Where the caller's project has things in one pod alone, the list is that pod's.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward, Reply
from control_plane.handlers.listing.home import home_of, learn_home
from control_plane.handlers.listing.lost import lost_items, shows_lost
from control_plane.handlers.listing.resume import Resumed, resume
from control_plane.handlers.listing.skip import Skip
from control_plane.handlers.listing.source import Source
from control_plane.handlers.listing.taken import Taken
from control_plane.handlers.own_words import as_asked
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.replica import local_id
from control_plane.handlers.translate import Translation
from control_plane.lists.answer import FIRST, Body, next_query, opening
from control_plane.lists.cursor import ListKey
from control_plane.lists.inquiry import Inquiry, read
from control_plane.lists.merge import Merge, Merged
from control_plane.lists.narrow import Asked, honoured, narrow
from control_plane.lists.page import MalformedPage, reduce, without
from control_plane.model.errors import Refused, Unreadable
from control_plane.model.pod import Pod
from control_plane.services.listing import Narrow, Says
from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

log = structlog.get_logger()


async def aggregate(cloud: Cloud, call: Call) -> Decision:
    """Answer a list from all pods; what could not be asked is named in `x-trio2o-missing`."""
    await cloud.identify(call)
    pod = await home_of(cloud, call)
    if pod is not None:
        return Forward(pod, "home", home=True)
    try:
        return await _Listing(cloud, call).reply()
    except PodRefusal as refusal:
        raise await as_asked(cloud, call, refusal) from refusal
    except MalformedPage as error:
        log.warning("malformed_page", pod=error.pod, error=str(error))
        message = "A part of the cloud gave an answer that could not be read."
        raise Refused(HTTPStatus.BAD_GATEWAY, message) from error


class _Listing:
    """One list for one caller."""

    def __init__(self, cloud: Cloud, call: Call) -> None:
        self._cloud = cloud
        self._call = call
        self._resource: Resource = call.service.resources[call.operation.answer]
        self._paging = call.service.paging
        self._inquiry: Inquiry = read(call.parameters, self._paging, self._resource, call.version)
        self._translations: dict[str, Translation] = {}
        #: The pods that the answer's head could name as missing, once it is written.
        self._told: frozenset[str] | None = None
        self._cut = False

    async def reply(self) -> Reply:
        """Ask the pods, and begin to write as soon as the answer's head can be told."""
        call, inquiry, resource = self._call, self._inquiry, self._resource
        source = Source(self._cloud, call, inquiry, await self._asked())
        resumed = await resume(self._cloud, call, source, inquiry, self._key())
        if inquiry.limit != 0:
            await learn_home(self._cloud, call, source, resumed.sequences)
        merge = Merge(resumed.sequences, copies=resource.replicated)
        if inquiry.limit != 0:
            await self._skip(merge, resumed)
        taken = Taken(self._cloud.directory, resource, merge, inquiry.limit)
        pieces = self._pieces(taken, source, resumed)
        first = await anext(pieces)
        lost: list[bytes] = []
        rest: AsyncIterator[bytes] = pieces
        if source.missing and shows_lost(call, resource):
            # What is lost stands in front, as far as there is room for it.
            rest = await _collected(pieces)
            room = None if inquiry.limit is None else inquiry.limit - taken.count
            lost = await lost_items(
                self._cloud, call, resource, tuple(source.missing.values()), room
            )
        elif len(first) >= FIRST and not taken.is_held and not self._links:
            # A pod that is asked again may fail, and only the answer's head can say so.
            rest = await _collected(pieces)
        self._told = frozenset(source.missing)
        return Reply(
            HTTPStatus.OK,
            await _body(opening(resource, lost, more=taken.count > 0) + first, rest),
            missing=tuple(sorted({pod.availability_zone for pod in source.missing.values()})),
            reason="merged",
        )

    async def _pieces(
        self, taken: Taken, source: Source, resumed: Resumed
    ) -> AsyncGenerator[bytes, None]:
        """Write the page as it is merged: each item is changed and written while it is at hand."""
        body = Body()
        turned: list[Merged] = []
        while True:
            if self._turns:
                turned += taken.held()
            else:
                for piece in body.fill(self._items(taken.held(), source)):
                    yield piece
            if not await self._goes_on(taken, source):
                break
        for piece in body.fill(self._items(reversed(turned), source)):
            yield piece
        following, before = self._end(taken, source, resumed)
        yield body.end(
            self._resource,
            self._paging.links,
            following,
            self._first(),
            sum(source.counts.values()) if source.counts else None,
            before,
        )

    @property
    def _turns(self) -> bool:
        """Whether the page is read from its end; what is no page is shown as it is read."""
        return self._inquiry.backward and self._inquiry.limit is not None

    async def _goes_on(self, taken: Taken, source: Source) -> bool:
        """Have read what the page lacks; False when it is full, at its end, or cut.

        A page that has begun cannot say any more that a pod is missing. It ends before the first
        item that might be that pod's, with a link to the next page, which says it.
        """
        if self._told is None:
            return await taken.read_on()
        try:
            follows = await taken.read_on()
        except (Refused, PodRefusal, MalformedPage) as error:
            log.warning("page_cut", request_id=self._call.request_id, error=str(error))
            self._cut = True
        else:
            self._cut = not self._told.issuperset(source.missing)
        return not self._cut and follows

    def _end(self, taken: Taken, source: Source, resumed: Resumed) -> tuple[str | None, str | None]:
        """Remember where the pods stand behind a full page; gives the next URL and the one before.

        Where pages can be read backward there is always one in the direction the client came from
        (neutron.api.api_common.get_pagination_links).
        """
        onward, backward = None, self._inquiry.backward
        if (taken.full or self._cut) and taken.last is not None:
            last = self._shown_id(taken.last)
            self._remember(last, source, resumed)
            onward = self._url(last, backward=backward)
        if not self._paging.reverse or self._inquiry.limit is None:
            return onward, None
        first = self._shown_id(taken.first) if taken.first is not None else None
        back = self._url(first, backward=not backward)
        return (back, onward) if backward else (onward, back)

    def _remember(self, last: str, source: Source, resumed: Resumed) -> None:
        if not self._resource.replicated and not self._inquiry.gaps:
            # A pod that counts is asked in any case, and one that is missing may come back.
            places = {
                entry.pod.name: entry.place
                if source.counts or entry.pod.name in source.missing or not self._grows_in_front
                else entry.finish()
                for entry in resumed.sequences
            }
            self._cloud.cursors.put(self._key(), last, places)

    @property
    def _grows_in_front(self) -> bool:
        """Whether nothing that is made later can come behind what a pod has shown.

        Where the newest come first, and of pods that come one after the other.
        """
        order, default = self._inquiry.order, self._resource.order
        return not order or (order == default and order[0].descending)

    def _key(self) -> ListKey:
        call, caller = self._call, self._call.caller
        return ListKey(
            call.service.name,
            call.operation.path,
            caller.user_id if caller else "",
            caller.project_id if caller else "",
            str(call.version),
            self._inquiry.rest,
        )

    async def _asked(self) -> list[Asked]:
        """Choose the pods by the filters, and word the filters for each."""
        call = self._call
        caller = await self._cloud.identify(call)
        rules = honoured(self._resource.lists.narrows, call.version, admin=caller.is_admin)
        for path in call.operation.hosts:
            if path.startswith("?"):
                rules[path[1:]] = Narrow(path[1:], Says.HOST)
        owners = {}
        for name, value in self._inquiry.rest:
            if name in rules and rules[name].says is Says.ID:
                pod = await self._cloud.directory.known(value)
                if pod is not None:
                    owners[value] = pod
            elif name in rules and rules[name].says is Says.COPY:
                await self._cloud.copies.resolve(rules[name].resource, value)
        pods = call.view.with_service(call.service.name)
        local = partial(local_id, self._cloud)
        return narrow(call.view.fleet, pods, self._inquiry.rest, rules, owners, local)

    async def _skip(self, merge: Merge, resumed: Resumed) -> None:
        lenient, marker = self._resource.lists.lenient, resumed.skip or ""
        skip = Skip(
            resumed,
            self._inquiry.offset,
            lambda merged: self._is_marker(merged, marker),
            lenient=lenient,
        )
        if not await skip.through(merge):
            message = f"marker [{marker}] not found"
            raise Unreadable(self._paging.missing_marker, message)

    def _is_marker(self, merged: Merged, marker: str) -> bool:
        if marker in {merged.item.id, merged.item.identity}:
            return True
        return self._resource.mapped and self._shown_id(merged) == marker

    def _shown_id(self, merged: Merged) -> str:
        """Give an item's id as users see it, by which they ask for the next page."""
        resource = self._resource
        if not (resource.mapped or resource.numbers or resource.hosts):
            return merged.item.id
        raw = self._translation(merged.pod).item(merged.item.raw, resource)
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        if resource.item_key:
            fields = msgspec.json.decode(fields[resource.item_key], type=dict[str, msgspec.Raw])
        name = resource.lists.marker or resource.identity
        return str(msgspec.json.decode(fields[name])) if name in fields else merged.item.id

    def _items(self, found: Iterable[Merged], source: Source) -> Iterator[bytes]:
        """Translate the items one by one, as they are written."""
        resource = self._resource
        fields = () if source.brief else self._call.operation.fields
        added = self._inquiry.added
        each: dict[str, Callable[[bytes, Sequence[Any]], bytes]] = {}
        for merged in found:
            item, name = merged.item, merged.pod.name
            translate = each.get(name)
            if translate is None:
                translate = each[name] = self._translation(merged.pod).each(resource)
            if fields:
                yield translate(reduce(item.raw, fields), ())
            elif added:
                yield translate(without(item.raw, added), ())
            else:
                yield translate(item.raw, item.kept)

    @property
    def _links(self) -> bool:
        """Whether a page that others follow has a link to the next one."""
        asked = self._paging.default is not None or self._call.parameter("limit") is not None
        return self._resource.links_key is not None and asked

    def _url(self, marker: str | None, *, backward: bool) -> str | None:
        """Write the URL of the page behind a marker, or of the one before it."""
        if not self._links:
            return None
        parameters, reverse = self._call.parameters, self._paging.reverse
        if reverse:
            parameters = [entry for entry in parameters if entry[0] != reverse]
            parameters += [(reverse, "True")] if backward else []
        return f"{self._own_url()}?{next_query(parameters, marker)}"

    def _first(self) -> str:
        rest = [entry for entry in self._call.parameters if entry[0] != "marker"]
        query = "&".join(f"{key}={value}" for key, value in rest)
        return f"{self._own_url()}?{query}" if query else self._own_url()

    def _own_url(self) -> str:
        if self._paging.links is LinkForm.RELATIVE:
            # glanceclient puts the path behind the endpoint of the catalog itself.
            return self._call.pod_path
        return f"{self._call.gateway}{self._call.location.base}{self._call.pod_path}"

    def _translation(self, pod: Pod) -> Translation:
        found = self._translations.get(pod.name)
        if found is None:
            call = self._call
            found = Translation(call.view, pod, call.gateway, call.authority)
            self._translations[pod.name] = found
        return found


async def _body(first: bytes, rest: AsyncIterator[bytes]) -> bytes | AsyncIterator[bytes]:
    """Give a small body whole; a large one is streamed, so that Envoy's backpressure holds."""
    if len(first) >= FIRST:
        return _stream(first, rest)
    return b"".join([first, *[piece async for piece in rest]])


async def _stream(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _collected(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Have all pieces before the first is sent."""
    held = [piece async for piece in pieces]

    async def given() -> AsyncIterator[bytes]:
        for piece in held:
            yield piece

    return given()
