"""Aggregate: a list over all pods, asked in parallel, merged, cut to a page and streamed back."""

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.listing.lost import lost_items
from control_plane.handlers.listing.resume import Resumed, resume
from control_plane.handlers.listing.source import Source
from control_plane.handlers.translate import Translation
from control_plane.lists.answer import next_query, write
from control_plane.lists.cursor import ListKey
from control_plane.lists.inquiry import Inquiry, read
from control_plane.lists.merge import Merged, merge
from control_plane.lists.narrow import Asked, honoured, narrow
from control_plane.lists.page import reduce
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod
from control_plane.services.listing import Narrow, Says
from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm


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
        self._inquiry: Inquiry = read(call.parameters, self._paging, self._resource, call.version)
        self._translations: dict[str, Translation] = {}

    async def reply(self) -> Reply:
        call, inquiry = self._call, self._inquiry
        source = Source(self._cloud, call, inquiry, await self._asked())
        key = self._key()
        resumed = await resume(self._cloud, call, source, inquiry, key)
        found = await self._collect(resumed)
        missing = tuple(source.missing.values())
        room = None if inquiry.limit is None else inquiry.limit - len(found)
        lost = await lost_items(self._cloud, call, self._resource, missing, room)
        last = self._shown_id(found[-1]) if found else ""
        full = inquiry.limit is not None and 0 < inquiry.limit <= len(found)
        if full and not self._resource.replicated and not inquiry.gaps:
            # A pod that counts is asked in any case, and one that is missing may come back.
            places = {
                entry.pod.name: entry.place
                if source.counts or entry.pod.name in source.missing
                else entry.finish()
                for entry in resumed.sequences
            }
            self._cloud.cursors.put(key, last, places)
        pieces = write(
            self._resource,
            self._items(lost, found, source),
            self._paging.links,
            self._following(last) if full else None,
            self._first(),
            sum(source.counts.values()) if source.counts else None,
        )
        return Reply(
            HTTPStatus.OK,
            _body(pieces),
            missing=tuple(sorted({pod.availability_zone for pod in missing})),
            reason="merged",
        )

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
        pods = call.view.with_service(call.service.name)
        return narrow(call.view.fleet, pods, self._inquiry.rest, rules, owners)

    async def _collect(self, resumed: Resumed) -> list[Merged]:
        """Merge up to the limit, from behind the marker or the offset on."""
        limit, resource = self._inquiry.limit, self._resource
        found: list[Merged] = []
        known: set[tuple[str, str]] = set()
        if limit == 0:
            return found
        async for merged in self._behind(resumed, self._inquiry.offset):
            name = (merged.item.id, merged.pod.name)
            # Nova shows a server twice that is placed between two pages of its pod.
            if name in known and resource.probe and not resource.replicated:
                continue
            known.add(name)
            if resource.probe and not resource.replicated:
                self._cloud.directory.learn(*name)
            found.append(merged)
            if limit is not None and len(found) >= limit:
                break
        return found

    async def _behind(self, resumed: Resumed, offset: int) -> AsyncIterator[Merged]:
        """Merge, and leave out what stands up to the marker, and what the offset skips."""
        waiting = resumed.skip
        lenient = self._resource.lists.lenient
        skipped: list[Merged] = []
        async for merged in merge(resumed.sequences, copies=self._resource.replicated):
            if waiting is not None:
                if self._is_marker(merged, waiting):
                    waiting = None
                elif lenient:
                    skipped.append(merged)
            elif offset:
                offset -= 1
            else:
                yield merged
        if waiting is not None and lenient:
            for merged in skipped[offset:]:
                yield merged
        elif waiting is not None:
            message = f"marker [{waiting}] not found"
            raise Refused(self._paging.missing_marker, message)

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

    def _items(self, lost: list[bytes], found: list[Merged], source: Source) -> Iterator[bytes]:
        """Translate the items one by one, letting go of each."""
        yield from lost
        resource, fields = self._resource, self._call.operation.fields
        found.reverse()
        while found:
            merged = found.pop()
            translation, raw = self._translation(merged.pod), merged.item.raw
            if fields and not source.brief:
                raw = reduce(raw, fields)
            yield translation.item(raw, resource)

    def _following(self, last: str) -> str | None:
        """Write the URL of the next page."""
        asked = self._paging.default is not None or self._call.parameter("limit") is not None
        if self._resource.links_key is None or not asked:
            return None
        return f"{self._own_url()}?{next_query(self._call.parameters, last)}"

    def _first(self) -> str:
        rest = [entry for entry in self._call.parameters if entry[0] != "marker"]
        query = "&".join(f"{key}={value}" for key, value in rest)
        return f"{self._own_path()}?{query}" if query else self._own_path()

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


def _body(pieces: Iterator[bytes]) -> bytes | AsyncIterator[bytes]:
    """Give a small body whole; a large one is streamed, so that Envoy's backpressure holds."""
    first = next(pieces)
    second = next(pieces, None)
    if second is None:
        return first
    return _stream(first, second, pieces)


async def _stream(first: bytes, second: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    for piece in pieces:
        yield piece
