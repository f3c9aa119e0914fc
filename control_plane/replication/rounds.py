"""Look round the ready pods for definitions that were made in them behind the gateway's back.

Such a one stays in its pod, and goes to the pods that arrive later, as what a pod brought does. An
arrival asks few pods what there is; which others it must ask is found here before, a few pods at a
time and never all at once. Key pairs are not looked for: they are brought when they are named.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from control_plane.model.errors import Trio2oError
from control_plane.model.pod import Pod
from control_plane.pods.view import View
from control_plane.replication.arrival import OWN, Arrival, ReadyStore, has_all, learn
from control_plane.replication.holdings import Holdings
from control_plane.replication.inventory import definitions
from control_plane.replication.sources import Asked
from control_plane.services.catalog import SERVICES
from control_plane.services.service import Service

log = structlog.get_logger()

#: How often pods are looked at, seconds, and how many then. A pod has four lists, and so has each
#: that it is compared with: a thousand pods are one question a second, and seen in an hour and a
#: half.
SECONDS = 20.0
AT_ONCE = 4


class Rounds:
    """Compares pods with those that an arrival asks, one after the other and again."""

    def __init__(
        self, holdings: Callable[[], Holdings], arrival: Arrival, store: ReadyStore
    ) -> None:
        """Take what reads what pods hold, what says who is asked, and what keeps what is found."""
        self._holdings = holdings
        self._arrival = arrival
        self._store = store
        self._last = ""

    async def look(self, view: View) -> None:
        """Compare the next few pods."""
        # What they are still to be told, or have refused, is a difference that is known.
        late = {intent.pod for intent in await self._store.intents()}
        pods = self._next([pod for pod in view.fleet.serving if pod.name not in late], view)
        held, asked = self._holdings(), await self._arrival.asked(view)
        for pod in pods:
            self._last = pod.name
            try:
                await self._compare(view, held, asked, pod)
            except Trio2oError as error:
                log.warning("pod_not_compared", pod=pod.name, error=str(error))

    def _next(self, pods: Sequence[Pod], view: View) -> list[Pod]:
        """Pick the pods that follow the last one, by name, and then those from the beginning."""
        able = [pod for pod in pods if view.reachable(pod.name) and pod.name not in view.arriving]
        # False is before True.
        able.sort(key=lambda pod: (pod.name <= self._last, pod.name))
        return able[:AT_ONCE]

    async def _compare(self, view: View, held: Holdings, asked: Asked, pod: Pod) -> None:
        before = [name for name, pods in asked.own.items() if pod in pods]
        own = []
        for service in SERVICES:
            if view.endpoint(pod.name, service.name) and pod not in asked.first[service.name]:
                chosen = asked.of(service.name, without=pod)
                if not await self._is_known(held, chosen, service, pod):
                    own.append(service.name)
        for service in SERVICES:
            asked.note(service.name, pod, own=service.name in own)
        if own != before:
            log.info("own_definitions", pod=pod.name, services=own)
            await self._store.put_fact(pod.name, OWN, own)

    async def _is_known(
        self, held: Holdings, chosen: Sequence[Pod], service: Service, pod: Pod
    ) -> bool:
        for kind in definitions(service):
            if kind.definition is not None and kind.definition.owned:
                continue
            await learn(held, [*chosen, pod], service, kind)
            if not await has_all(held, chosen, service, kind, pod):
                return False
        return True

    async def run(self, view: Callable[[], View | None]) -> None:
        """Look until cancelled; not while `view` gives none, nor while pods arrive."""
        while True:
            await asyncio.sleep(SECONDS)
            now = view()
            if now is None or now.arriving or len(now.fleet.serving) < 2:  # noqa: PLR2004 - two to compare
                continue
            try:
                await self.look(now)
            except Exception:
                log.exception("round_failed")
