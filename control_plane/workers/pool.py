"""The workers of one control plane: started, told what changes, replaced when they die.

A worker that does not take in what it is told would serve by what is no longer so: it is replaced,
like one that died. Envoy sends requests to the others meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from prometheus_client import Metric

from control_plane.model.errors import StartupError
from control_plane.observability.totals import Totals
from control_plane.pods.view import View
from control_plane.settings import Settings
from control_plane.workers.channel import ChannelClosed
from control_plane.workers.member import Member
from control_plane.workers.notices import Count, Counted, PodSilent, Shown, Start

log = structlog.get_logger()

#: How long a worker may take to take in a notice, seconds.
NOTICE_SECONDS = 5.0
#: How long the first workers may take to listen, seconds.
START_SECONDS = 60.0
#: The waits before a worker that died is started again, seconds: the first and the longest.
SHORTEST_WAIT = 0.1
LONGEST_WAIT = 5.0
#: A worker that lived so long did not die of how it starts, seconds.
_LIVED = 30.0

#: Takes in what a worker says, in this process.
Heard = Callable[[object], Awaitable[None]]


class Pool:
    """Keeps as many workers as the settings name."""

    def __init__(self, settings: Settings, heard: Heard) -> None:
        """Start nothing yet; `heard` is awaited with what a worker tells all."""
        self._settings = settings
        self._heard = heard
        self._shown = Shown.of(View())
        self._members: dict[int, Member] = {}
        self._totals = Totals()
        self._stopping = False

    async def start(self, view: View) -> None:
        """Start all workers and wait until they listen; StartupError when one cannot."""
        self._shown = Shown.of(view)
        numbers = range(self._settings.processor.count)
        try:
            async with asyncio.timeout(START_SECONDS):
                faults = await asyncio.gather(*(self._begin(number) for number in numbers))
        except TimeoutError as error:
            message = f"the workers did not start within {START_SECONDS:.0f} s"
            raise StartupError(message) from error
        fault = next((fault for fault in faults if fault), "")
        if fault:
            raise StartupError(fault)

    async def run(self) -> None:
        """Replace workers that end, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in list(self._members):
                group.create_task(self._keep(number))

    async def stop(self) -> None:
        """Let all workers end what is under way."""
        self._stopping = True
        await asyncio.gather(*(member.stop() for member in self._members.values()))

    async def show(self, view: View) -> None:
        """Have all workers serve by a view before it is published."""
        shown = Shown.of(view)
        if shown != self._shown:
            changed, self._shown = shown.since(self._shown), shown
            await self.tell(changed)

    async def tell(self, notice: object, besides: Member | None = None) -> None:
        """Tell all workers but one, and wait until each has taken it in or is being replaced."""
        others = [member for member in self._members.values() if member is not besides]
        await asyncio.gather(*(self._tell(member, notice) for member in others))

    async def exposition(self, own: Iterable[Metric]) -> bytes:
        """Write what all workers and this process have counted."""
        await asyncio.gather(*(self._count(member) for member in self._members.values()))
        return self._totals.exposition(own)

    def fault(self) -> str | None:
        """Say how many workers do not serve; None when all do."""
        count = self._settings.processor.count
        serving = sum(member.serves for member in self._members.values())
        return None if serving == count else f"{count - serving} of {count} do not serve"

    async def _begin(self, number: int) -> str:
        """Start a worker in place of the one that had the number; gives why it does not listen."""

        async def take(notice: object) -> None:
            await self._heard(notice)
            if not isinstance(notice, PodSilent):
                await self.tell(notice, besides=member)

        member = await Member.spawn(number, take)
        self._members[number] = member
        listen = self._settings.processors[number]
        words = self._settings.words[number]
        fault = await member.start(Start(number, self._settings, listen, words, self._shown))
        if not fault:
            log.info("worker_started", worker=number, pid=member.pid, listen=str(listen))
        return fault

    async def _keep(self, number: int) -> None:
        wait = SHORTEST_WAIT
        clock = asyncio.get_running_loop().time
        while True:
            since, member = clock(), self._members[number]
            status = await member.ended()
            self._totals.end(member.pid)
            if self._stopping:
                return
            wait = SHORTEST_WAIT if clock() - since > _LIVED else min(wait * 2, LONGEST_WAIT)
            log.error("worker_ended", worker=number, pid=member.pid, status=status)
            await asyncio.sleep(wait)
            fault = await self._begin_again(number)
            if fault:
                log.error("worker_not_started", worker=number, reason=fault)
                await self._members[number].stop()

    async def _begin_again(self, number: int) -> str:
        """Start a worker while others serve: what is in the way now may be gone the next time."""
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._begin(number)
        except TimeoutError:
            return f"it did not listen within {START_SECONDS:.0f} s"
        except OSError as error:
            # No memory for a process, or no descriptor.
            return str(error)

    async def _tell(self, member: Member, notice: object) -> None:
        if not member.serves:
            # It has no requests yet, and hears this before it has.
            member.post(notice)
            return
        try:
            async with asyncio.timeout(NOTICE_SECONDS):
                await member.tell(notice)
        except (ChannelClosed, TimeoutError):
            log.warning("worker_replaced", worker=member.number, notice=type(notice).__name__)
            member.kill()

    async def _count(self, member: Member) -> None:
        try:
            async with asyncio.timeout(NOTICE_SECONDS):
                counted = await member.tell(Count())
        except (ChannelClosed, TimeoutError):
            return
        if isinstance(counted, Counted):
            self._totals.count(member.pid, counted.families)
