"""Find where each pod's list goes on behind a marker.

    the cursor of the page before ──► the places themselves, nothing to skip
    pods one after the other ───────► the owner from its marker, later pods from the top
    otherwise ──────────────────────► the merge up to the marker, from the start or, where the
                                      order is that of creation, from not far before the marker

Every way gives the same page, whatever process took the page before: what a merge yields follows
from the pods' lists alone. A marker that its pod still takes but does not list any more (deleted,
or outside the filters) is put back where it stood; where pods' markers are not to be trusted, the
list goes on with the first item that sorts behind it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.listing.marker import Finder, Owned, owned, shown
from control_plane.handlers.listing.source import Source
from control_plane.handlers.refusal import PodRefusal
from control_plane.lists.cursor import ListKey
from control_plane.lists.inquiry import Inquiry
from control_plane.lists.page import Item, Page
from control_plane.lists.position import Position
from control_plane.lists.sequence import TOP, Absent, Place
from control_plane.lists.sequence import Sequence as Items
from control_plane.model.errors import Refused
from control_plane.model.pod import Pod

#: By how much the store may say a time later than the pod: a create takes so long at most.
_RECORDED_LATER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pods' sequences, and the marker up to which what they yield is skipped.

    `place` is where the marker sorts, should it not come.
    """

    sequences: list[Items]
    skip: str | None = None
    place: Position | None = None


async def resume(
    cloud: Cloud, call: Call, source: Source, inquiry: Inquiry, key: ListKey
) -> Resumed:
    """Open the pods' lists behind the marker, or at their start when there is none."""
    marker = inquiry.marker
    if marker is None:
        return Resumed(await source.open({}))
    if source.resource.replicated or not call.service.paging.checks_markers:
        return Resumed(await source.open({}, searching=True), marker)
    places = None if inquiry.gaps else cloud.cursors.get(key, marker)
    if places is not None:
        try:
            return Resumed(await source.open(places))
        except PodRefusal:
            # An item that a pod stood behind is gone, or the marker itself; see what is left.
            cloud.cursors.forget(key, marker)
    try:
        found = await owned(cloud, call, source, marker)
    except (PodRefusal, Refused):
        elsewhere = await _elsewhere(cloud, call, source, marker)
        if elsewhere is None:
            raise
        return elsewhere
    return await _walked(cloud, call, source, inquiry, found)


async def _walked(
    cloud: Cloud, call: Call, source: Source, inquiry: Inquiry, found: Owned
) -> Resumed:
    """Open the pods' lists so that the merge comes to the marker, or stands behind it."""
    if inquiry.gaps:
        item = await Finder(cloud, call, source, inquiry, found).seek()
        place = item.position if item is not None and not item.leads else None
        sequences = await source.open({}, searching=True, behind=place)
        return Resumed(sequences, found.marker, place)
    if not inquiry.order:
        names = [pod.name for pod in source.pods]
        done = dict.fromkeys(names[: names.index(found.pod.name)], Place(done=True))
        return Resumed(await source.open({**done, found.pod.name: Place(found.marker, 1)}))
    finder = Finder(cloud, call, source, inquiry, found)
    absent = Absent(found.marker, found.following, finder.find)
    near = await _nearest(cloud, call, source, inquiry, found)
    try:
        sequences = await source.open(near, (found.pod, absent), searching=True)
    except PodRefusal:
        if not near:
            raise
        sequences = await source.open({}, (found.pod, absent), searching=True)
    return Resumed(sequences, found.marker)


async def _elsewhere(cloud: Cloud, call: Call, source: Source, marker: str) -> Resumed | None:
    """Go on behind a marker of a pod that the filters leave out: it stands in the list alone."""
    name = await cloud.directory.known(marker)
    pod = call.view.fleet.get(name) if name else None
    if pod is None or pod in source.pods or source.missing:
        return None
    item = await shown(cloud, call, source, pod, marker)
    if item is None:
        return None

    async def fetch(_pod: Pod, _place: Place) -> Page:
        return Page((), more=False)

    alone = Items(pod, TOP, Page((item,), more=False), fetch)
    sequences = [*await source.open({}, searching=True), alone]
    return Resumed(sorted(sequences, key=lambda entry: entry.pod.name), marker)


async def _nearest(
    cloud: Cloud, call: Call, source: Source, inquiry: Inquiry, found: Owned
) -> dict[str, Place]:
    """Find places not far before the marker, so that not all of the lists is read again.

    Only where the order is the default one, which begins with the time of creation: the store
    knows what was created a little later than the marker, in each pod. Its times are not the
    pods', so each pod is asked for the thing's own; a place is good only when that is later than
    the marker's, not equal, since pods sort by more of a moment than they show.
    """
    default = source.resource.order
    if inquiry.order != default or not default[0].descending:
        return {}
    field = default[0].field
    marker = await shown(cloud, call, source, found.pod, found.marker)
    moment = _moment(marker, field)
    if marker is None or marker.leads or moment is None:
        return {}
    caller = await cloud.identify(call)
    everybody = caller.is_admin and call.parameter("all_tenants") is not None
    project = None if everybody else caller.project_id
    places = {}
    for pod in source.pods:
        later = await cloud.directory.placed(
            source.resource.name, pod.name, project, moment + _RECORDED_LATER, 1
        )
        item = await shown(cloud, call, source, pod, later[0].id) if later else None
        created = _moment(item, field)
        if item is not None and not item.leads and created is not None and created > moment:
            places[pod.name] = Place(item.id, 1, leading=False)
    return places


def _moment(item: Item | None, field: str) -> datetime | None:
    """Read when an item was created, as far as its pod shows it."""
    if item is None:
        return None
    try:
        moment = datetime.fromisoformat(msgspec.json.decode(item.raw)[field])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
