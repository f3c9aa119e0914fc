"""Whether a list is that of one pod, because the caller's project has things nowhere else.

Two things must be known: that creates brought the project into no other pod (presence, read anew
each time), and that the last time all pods were asked no other had anything (homes, a minute old at
most). Then the pod answers, and Envoy, which puts the answer into the users' words, may send it the
same caller's next lists for a moment (`presence.LEASE`).
"""

import re

import structlog

from control_plane.directory.homes import HomeKey
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.listing.leaving import notice
from control_plane.handlers.listing.source import Source
from control_plane.lists.inquiry import SORTS
from control_plane.lists.sequence import Sequence
from control_plane.model.headers import LANE
from control_plane.model.limits import LONGEST_PAGE_PATH
from control_plane.model.pod import Pod
from control_plane.services.lane import Lane, is_home, needs_processor_from

log = structlog.get_logger()

#: Parameters that leave nothing out but what other pages have.
_ALL = SORTS | {"limit"}
#: A first page, and those behind a marker.
_PAGES = {"limit", "marker"}
#: A query that the link to the next page repeats as it stands, put in order; and what is a limit.
_AS_IT_STANDS = re.compile(r"[a-z_]+=[\w.~-]*(&[a-z_]+=[\w.~-]*)*", re.ASCII)
_LIMIT = re.compile("[1-9][0-9]{0,3}")
#: As many pods as tell that a list has no home.
_ENOUGH = 2


async def home_of(cloud: Cloud, call: Call) -> Pod | None:
    """Find the pod that a list can be left to; None when all pods are to be asked."""
    if not _may_have_home(call) or not _names(call) <= {*call.operation.home, *_PAGES}:
        return None
    seen = cloud.homes.of(_key(call))
    pods = call.view.with_service(call.service.name)
    if seen is None or seen.asked != tuple(pod.name for pod in pods):
        return None
    try:
        present = await cloud.presence.of(call.project_id)
    except Exception:
        # All pods can be asked without the database.
        log.exception("presence_not_read", request_id=call.request_id)
        return None
    there = [pod for pod in pods if pod.id in present]
    if len(there) != 1 or seen.pod not in ("", there[0].name):
        return None
    if not await _may_be_a_page_of(cloud, call, there[0]):
        return None
    return there[0] if there[0].name in call.view.answering else None


async def _may_be_a_page_of(cloud: Cloud, call: Call, pod: Pod) -> bool:
    """Whether the pod's page is the gateway's, with a link that Envoy writes as the gateway would.

    In an order in which values may be missing pods lose things behind a marker; and a marker that
    the pod does not know may be another's.
    """
    names = _names(call)
    if names.isdisjoint(_PAGES):
        return True
    limits = [value for name, value in call.parameters if name == "limit"]
    markers = [value for name, value in call.parameters if name == "marker"]
    length = len(f"{call.location.base}{call.pod_path}?{call.query}")
    if (
        not names.isdisjoint(SORTS)
        or len(limits) != 1
        or not _LIMIT.fullmatch(limits[0])
        or not _AS_IT_STANDS.fullmatch(call.query)
        or length > LONGEST_PAGE_PATH
    ):
        return False
    return not markers or (
        len(markers) == 1 and await cloud.directory.known(markers[0]) == pod.name
    )


async def learn_home(cloud: Cloud, call: Call, source: Source, sequences: list[Sequence]) -> None:
    """Keep which pods have something, when all were asked for all; before any of it is taken."""
    if not _may_have_home(call) or not _names(call) <= _ALL:
        return
    begun = {entry.pod.name: entry.has_any for entry in sequences}
    asked = tuple(pod.name for pod in call.view.with_service(call.service.name))
    if source.missing or set(begun) != set(asked) or None in begun.values():
        return
    if any(entry.has_pages for entry in sequences):
        # The pod would end its list with a link to the next page, and the link is ours to write.
        return
    having = [entry.pod for entry in sequences if entry.has_any]
    try:
        for pod in having[:_ENOUGH]:
            await cloud.presence.note(call.project_id, pod.id)
    except Exception:
        log.exception("presence_not_noted", request_id=call.request_id)
        return
    if len(having) < _ENOUGH:
        # Not on the list's way: it reads the database.
        cloud.later.run("leaving_not_noticed", notice(cloud, call, having))
    cloud.homes.learn(_key(call), [pod.name for pod in having], asked)


def _may_have_home(call: Call) -> bool:
    """Whether the list shows what the caller's project has, in words that Envoy can change."""
    # Only where its owner cache is there, which rewrites the answer, does Envoy name the lane.
    if (
        call.headers.get(LANE) != Lane.LIST
        or not call.project_id
        or "x-service-token" in call.headers
        or not is_home(call.service, call.operation)
    ):
        return False
    since = needs_processor_from(call.service.resources[call.operation.answer])
    return since is None or call.version is None or call.version < since


def _names(call: Call) -> set[str]:
    """Name the parameters as they stand; services may take a semicolon for a separator, too."""
    if not call.query:
        return set()
    return {part.partition("=")[0] for part in call.query.replace(";", "&;").split("&")}


def _key(call: Call) -> HomeKey:
    return HomeKey(call.project_id, call.service.name, call.operation.answer)
