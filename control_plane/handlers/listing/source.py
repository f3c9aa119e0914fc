"""Ask pods for their pages of one list, in their own words, and say who could not be asked."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from weakref import ref

import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.listing.remainder import Remainder
from control_plane.handlers.refusal import refusal_of
from control_plane.handlers.wording import alone
from control_plane.lists.batch import AT_ONCE, BATCH, further, share
from control_plane.lists.inquiry import SORTS, Inquiry, to_pod
from control_plane.lists.narrow import Asked
from control_plane.lists.page import MalformedPage, Page, Reader
from control_plane.lists.position import Position
from control_plane.lists.sequence import TOP, Absent, Place
from control_plane.lists.sequence import Sequence as Items
from control_plane.model.errors import PodUnreachable, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer
from control_plane.services.listing import Paged

log = structlog.get_logger()


class Source:
    """The pods of one list for one caller."""

    def __init__(self, cloud: Cloud, call: Call, inquiry: Inquiry, asked: Sequence[Asked]) -> None:
        """Take the pods to ask with their filters, in the order that decides between equals."""
        self._cloud = cloud
        self._call = call
        self._inquiry = inquiry
        self._asked = {entry.pod.name: entry for entry in asked}
        self.resource = call.service.resources[call.operation.answer]
        self.pods = tuple(entry.pod for entry in asked)
        #: Whether pods show the brief form themselves, so that nothing must be taken away.
        self.brief = self._shows_order()
        source = "" if self.brief else call.operation.source
        self._path = call.sibling(source) if source else call.pod_path
        # An item of which fields are taken away is read again to be changed.
        cut = inquiry.added or (call.operation.fields and not self.brief)
        kept = () if cut else alone(self.resource)
        self._readers = {
            pod.name: Reader(self.resource, inquiry.order, pod, kept) for pod in self.pods
        }
        #: Pods that did not answer, or failed, by name.
        self.missing: dict[str, Pod] = {}
        #: What pods answered that failed.
        self._failures: list[PodAnswer] = []
        #: What is wrong with an answer that was no list.
        self._unreadable: MalformedPage | None = None
        #: What each pod says of the length of the whole list, where the service counts.
        self.counts: dict[str, int] = {}

    def _shows_order(self) -> bool:
        """Whether the brief form shows all that the merge must know."""
        shown, leading = self._call.operation.fields, self.resource.lists.leading
        if not self._inquiry.order:
            return True
        needed = {key.field for key in self._inquiry.order} | ({leading[0]} if leading else set())
        return needed <= set(shown)

    def batch(self, *, searching: bool = False) -> int | None:
        """Say how much to ask of a pod first; `searching`: most of it will be skipped.

        Of what every pod has, each gives all or nothing.
        """
        wanted = self._wanted
        if wanted is None:
            return None
        if self._inquiry.gaps and wanted and self.resource.lists.steady:
            return AT_ONCE
        if searching or (self._inquiry.gaps and wanted):
            return BATCH
        return share(wanted, 1 if self.resource.replicated else len(self.pods))

    @property
    def _wanted(self) -> int | None:
        """How many items the page takes from all pods, those that it skips included."""
        limit = self._inquiry.limit
        return None if limit is None else limit + self._inquiry.offset

    async def ask(
        self,
        pod: Pod,
        limit: int | None,
        place: Place = TOP,
        rest: Sequence[tuple[str, str]] | None = None,
    ) -> PodAnswer:
        """Ask one pod for what follows a place; PodUnreachable also when the pod fails."""
        own = self._asked[pod.name].rest if rest is None else rest
        offset = place.taken if self._inquiry.paged is Paged.OFFSET else None
        marker = place.after if self._inquiry.paged is Paged.MARKER else None
        query = to_pod(own, limit, marker, offset or None)
        answer = await self._cloud.pods.ask(pod, self._call.to_pods("GET", self._path, query))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._failures.append(answer)
            reason = f"answered {answer.status}"
            raise PodUnreachable(pod.name, reason)
        await self._cloud.copies.learn(self.resource, pod, answer.body)
        return answer

    def read(self, answer: PodAnswer) -> Page:
        """Read a page; MalformedPage when it is none."""
        page = self._readers[answer.pod.name].page(answer.body)
        if page.count is not None:
            self.counts[answer.pod.name] = page.count
        pages = self._inquiry.paged is Paged.OFFSET or self.resource.links_key is None
        if pages and self._inquiry.paged is not Paged.NONE and self._inquiry.limit is not None:
            # Without links only an empty page says that nothing follows: the pod's own highest
            # limit may be lower than what it was asked for.
            return Page(page.items, bool(page.items), page.count)
        return page

    def reader(self, pod: Pod) -> Reader:
        """Give the reader of a pod's items, also of a pod that the filters leave out."""
        known = self._readers.get(pod.name)
        return known or Reader(self.resource, self._inquiry.order, pod)

    async def open(
        self,
        places: Mapping[str, Place],
        absent: tuple[Pod, Absent] | None = None,
        *,
        searching: bool = False,
        behind: Position | None = None,
    ) -> list[Items]:
        """Ask all pods at once for what follows their places.

        `behind` is where the list goes on in an order with gaps, in which pods start at the top.
        Raises what a pod refused or all failed with, Refused(503) when none answers.
        """
        limit = self.batch(searching=searching)
        starts = {pod.name: places.get(pod.name, TOP) for pod in self.pods}
        open_pods = [pod for pod in self.pods if not starts[pod.name].done]
        # Not gather: it keeps what it gave in a cycle, all pages, until the collector comes.
        async with asyncio.TaskGroup() as group:
            answers = [
                group.create_task(self._tried(pod, limit, starts[pod.name])) for pod in open_pods
            ]
        pages: dict[str, Page] = {}
        refused: list[PodAnswer] = []
        for pod, answer in zip(open_pods, (task.result() for task in answers), strict=True):
            if isinstance(answer, PodUnreachable):
                self.missing[pod.name] = pod
            elif isinstance(answer, Exception):
                raise answer
            elif isinstance(answer, Page):
                pages[pod.name] = answer
            elif starts[pod.name].after is not None:
                # The pod speaks of the item it is to go on behind, whatever the status.
                raise refusal_of(answer)
            else:
                refused.append(answer)
        self._require(refused, pages, open_pods)

        asked = dict.fromkeys(starts, limit)
        # Weakly: what fetches for the sequences is theirs, and a cycle would keep all pages until
        # the collector comes.
        known: list[ref[Items]] = []

        remainders: dict[str, Remainder] = {}
        if self._inquiry.gaps and self.resource.lists.steady:
            remainders = {
                pod.name: Remainder(pages[pod.name], partial(self._steady, pod), behind)
                for pod in open_pods
                if pod.name in pages
            }

        async def fetch(pod: Pod, place: Place) -> Page:
            if place.after is not None and pod.name in remainders:
                return await self._rest(pod, remainders[pod.name])
            last, wanted = asked[pod.name], self._wanted
            if last is not None and wanted is not None:
                taken = sum(entry.taken for weak in known if (entry := weak()) is not None)
                asked[pod.name] = further(last, wanted - taken)
            return await self._fetch(pod, place, asked[pod.name])

        sequences = [
            Items(
                pod,
                *self._beginning(pod, starts[pod.name], pages.get(pod.name)),
                fetch,
                absent[1] if absent and absent[0].name == pod.name else None,
            )
            for pod in self.pods
        ]
        known += map(ref, sequences)
        return sequences

    async def _tried(
        self, pod: Pod, limit: int | None, place: Place
    ) -> Page | PodAnswer | Exception:
        """Ask for a page; one pod's failure must not end what others are at."""
        try:
            return await self._opened(pod, limit, place)
        except Exception as error:  # noqa: BLE001  # it is looked at when all have answered
            return error

    async def _opened(self, pod: Pod, limit: int | None, place: Place) -> Page | PodAnswer:
        """Ask for a page and read it while slower pods are still at it; a refusal as it is."""
        answer = await self.ask(pod, limit, place)
        return answer if answer.status >= HTTPStatus.BAD_REQUEST else self._page(answer)

    def _page(self, answer: PodAnswer) -> Page:
        """Read a page; what is none counts as not answered, as it does when it breaks off."""
        try:
            return self.read(answer)
        except MalformedPage as error:
            log.warning("malformed_page", pod=error.pod, error=str(error))
            self._unreadable = error
            raise PodUnreachable(error.pod, "answered no list") from error

    def _beginning(self, pod: Pod, start: Place, page: Page | None) -> tuple[Place, Page | None]:
        """Say where a pod's sequence begins; one that is missing stays where it stood."""
        if pod.name in self.missing:
            return start, Page((), more=False)
        return (start, page) if page is not None else (Place(done=True), None)

    def _require(
        self, refused: Sequence[PodAnswer], pages: Mapping[str, Page], asked: Sequence[Pod]
    ) -> None:
        """Pass a refusal on: a list that a pod would not give must not look complete.

        What one pod refuses (a key, a filter, a right) is wrong for all that are alike, and a
        caller cannot see from a shorter list that one of them judges otherwise. Only 404 means
        that the pod has nothing of the kind while others do.
        """
        if refused:
            worse = [answer for answer in refused if answer.status != HTTPStatus.NOT_FOUND]
            if worse or not pages:
                raise refusal_of((worse or refused)[0])
        elif asked and not pages:
            if len(self._failures) == len(asked):
                # All fail alike: what is asked for does not work in this cloud.
                raise refusal_of(self._failures[0])
            if self._unreadable is not None:
                raise self._unreadable
            message = "No part of the cloud answers now."
            raise unavailable(message)

    async def _steady(self, pod: Pod, place: Place) -> Page:
        """Read on in the order of values that all have; raises what the pod says or does."""
        own = [entry for entry in self._asked[pod.name].rest if entry[0] not in SORTS]
        answer = await self.ask(pod, BATCH, place, [*own, *self.resource.lists.steady])
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise refusal_of(answer)
        return self._page(answer)

    async def _rest(self, pod: Pod, remainder: Remainder) -> Page:
        """Read on where no marker is good; a pod that dies is missing from there on."""
        try:
            return await remainder.page()
        except PodUnreachable:
            self.missing[pod.name] = pod
            return Page((), more=False)

    async def _fetch(self, pod: Pod, place: Place, limit: int | None) -> Page:
        """Read on; a pod that dies in the middle of a list is missing from there on."""
        try:
            found = await self._opened(pod, limit, place)
        except PodUnreachable:
            self.missing[pod.name] = pod
            return Page((), more=False)
        if isinstance(found, PodAnswer):
            raise refusal_of(found)
        return found
