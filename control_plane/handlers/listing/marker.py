"""Find out about a marker: which pod takes it, and where it stood if it is not listed any more."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.listing.source import Source
from control_plane.handlers.refusal import refusal_of
from control_plane.lists.batch import BATCH
from control_plane.lists.inquiry import SORTS, Inquiry
from control_plane.lists.page import Item, MalformedPage
from control_plane.lists.sequence import Place
from control_plane.model.errors import PodUnreachable, Refused, unavailable
from control_plane.model.number import parse_number
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer

#: Parameters that say whose things are in a list, and those that decide its order.
_WHOSE = frozenset({"all_tenants"})
_ORDER = _WHOSE | SORTS


@dataclass(frozen=True, slots=True)
class Owned:
    """A marker in its pod's words, and the item that the pod lists right behind it."""

    pod: Pod
    marker: str
    following: str | None


async def owned(cloud: Cloud, call: Call, source: Source, marker: str) -> Owned:
    """Find the pod that takes a marker; its refusal when none does, in its own words.

    The pod that is known to have it is asked first, alone. Raises Refused(503) when a pod that may
    have it does not answer.
    """
    pods, local = source.pods, marker
    if source.resource.numbers and marker.isdecimal():
        named, number = parse_number(call.view.fleet, int(marker))
        pods, local = tuple(pod for pod in pods if pod == named), str(number)
    known = await cloud.directory.known(marker) if source.resource.probe else None
    first = [pod for pod in pods if pod.name == known]
    refused: list[PodAnswer] = []
    for group in (first, [pod for pod in pods if pod not in first]):
        if source.missing:
            break
        for answer in await _asked(source, group, local):
            if answer.status < HTTPStatus.BAD_REQUEST:
                items = source.read(answer).items
                return Owned(answer.pod, local, items[0].id if items else None)
            refused.append(answer)
    if source.missing:
        message = "The part of the cloud that knows the marker does not answer now."
        raise unavailable(message)
    if refused:
        raise refusal_of(refused[0])
    # A marker of a pod that the filters leave out.
    message = f"marker [{marker}] not found"
    raise Refused(call.service.paging.missing_marker, message)


async def _asked(source: Source, pods: Sequence[Pod], marker: str) -> list[PodAnswer]:
    """Ask pods for one item behind a marker; who takes it first comes first."""
    answers = await asyncio.gather(
        *(source.ask(pod, 1, Place(marker, 1)) for pod in pods), return_exceptions=True
    )
    found: list[PodAnswer] = []
    for pod, answer in zip(pods, answers, strict=True):
        if isinstance(answer, PodUnreachable):
            source.missing[pod.name] = pod
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.append(answer)
    return sorted(found, key=lambda answer: answer.status >= HTTPStatus.BAD_REQUEST)


async def shown(
    cloud: Cloud, call: Call, source: Source, pod: Pod, resource_id: str
) -> Item | None:
    """Read one item by its own path; None when it is not shown."""
    probe = source.resource.probe
    if not probe:
        return None
    path = call.sibling(probe.format(id=quote(resource_id, safe="")))
    try:
        answer = await cloud.pods.ask(pod, call.to_pods("GET", path))
        return source.reader(pod).one(answer.body) if answer.status == HTTPStatus.OK else None
    except (PodUnreachable, MalformedPage):
        return None


class Finder:
    """Gives a marker that its pod does not list its place among the items of other pods."""

    def __init__(
        self, cloud: Cloud, call: Call, source: Source, inquiry: Inquiry, marker: Owned
    ) -> None:
        """Take the list and the marker."""
        self._cloud = cloud
        self._call = call
        self._source = source
        self._inquiry = inquiry
        self._owned = marker

    async def find(self, before: Item | None) -> Item:
        """Read the marker as the pod shows it, else among what was deleted, else guess.

        The guess is the lowest place it can have, right behind the item before it: rather is an
        item of another pod shown twice than never.
        """
        pod, marker = self._owned.pod, self._owned.marker
        item = await shown(self._cloud, self._call, self._source, pod, marker)
        if item is None and self._source.resource.lists.deleted:
            item = await self._deleted(before)
        if item is not None:
            return item
        return Item(b"", marker, marker, before.position if before else ())

    async def seek(self) -> Item | None:
        """Read the marker wherever its pod's list has it; None when it is nowhere."""
        pod, marker = self._owned.pod, self._owned.marker
        item = await shown(self._cloud, self._call, self._source, pod, marker)
        if item is None and self._source.resource.lists.deleted:
            item = await self._deleted(None, _WHOSE)
        return item

    async def _deleted(self, before: Item | None, names: frozenset[str] = _ORDER) -> Item | None:
        """Look through a list that has deleted things too, with some of the parameters."""
        kept = tuple(entry for entry in self._inquiry.rest if entry[0] in names)
        rest = (*kept, *self._source.resource.lists.deleted)
        place = Place(before.id, 1) if before else Place()
        while True:
            try:
                answer = await self._source.ask(self._owned.pod, BATCH, place, rest)
            except PodUnreachable:
                return None
            if answer.status >= HTTPStatus.BAD_REQUEST:
                return None
            page = self._source.read(answer)
            for item in page.items:
                if item.id == self._owned.marker:
                    return item
            if not page.more or not page.items:
                return None
            place = Place(page.items[-1].id, 1)
