"""One process that answers Envoy: the parts of it, and how it starts and stops."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from control_plane.database.store import Store
from control_plane.directory.bindings import Bindings
from control_plane.directory.holders import Holders
from control_plane.directory.lookup import Directory
from control_plane.directory.presence import Presence
from control_plane.directory.rolls import Rolls
from control_plane.handlers.cloud import Cloud
from control_plane.identity.keystone import Keystone
from control_plane.identity.tokens import TokenVerifier
from control_plane.lists.cursor import Cursors, ListKey
from control_plane.lists.sequence import Place
from control_plane.model.errors import StartupError
from control_plane.observability.metrics import Metrics
from control_plane.pods.client import PodClient
from control_plane.processor.server import Processor
from control_plane.processor.streams import Streams
from control_plane.processor.words import Words
from control_plane.replication.bringing import Bringing
from control_plane.replication.broadcast import Broadcast
from control_plane.replication.copies import Copies
from control_plane.replication.inventory import Inventory
from control_plane.replication.kept import Kept
from control_plane.replication.own import Own
from control_plane.services.catalog import SERVICES
from control_plane.settings import Settings
from control_plane.workers.mirror import Mirror
from control_plane.workers.notices import (
    Changed,
    CopiesChanged,
    HoldersChanged,
    PlacesFound,
    PodSilent,
    Shown,
    Start,
)
from control_plane.workers.suspicion import Suspicion

#: Tells the other processes and waits until they know.
Tell = Callable[[object], Coroutine[Any, Any, None]]

#: How long decisions, and what is done behind answers, may go on once the process is asked to
#: stop, seconds.
GRACE = 2.0
#: How long conversations may: some wait for what a pod is making, and whoever asked for it must not
#: be told that it failed.
PATIENCE = 10.0


class Worker:
    """The parts of one worker."""

    def __init__(self, settings: Settings, tell: Tell) -> None:
        """Wire the parts; nothing listens and nothing is asked yet."""
        self.mirror = Mirror()
        self.metrics = Metrics()
        self.store = Store.open(settings.database)
        suspicion = Suspicion(self.metrics, self._suspect)
        self.client = PodClient(settings.egress, self.mirror, settings.timeouts.list, suspicion)
        keystone = Keystone(settings)
        verifier = TokenVerifier(keystone)
        own = Own(keystone, verifier)
        inventory = Inventory(self.client, own, lambda: self.mirror.view)
        self.copies = Copies(
            self.store, inventory, tell=lambda resource: tell(CopiesChanged(resource))
        )
        self.mirror.names = self.copies
        directory = Directory(self.store, self.client, self.metrics)
        self.holders = Holders(
            directory, tell=lambda resource, thing: tell(HoldersChanged(resource, thing))
        )
        kept = Kept(self.client, self.copies, own, self.store)
        self.cloud = Cloud(
            directory,
            self.holders,
            self.client,
            Bindings(self.store),
            verifier,
            self.copies,
            Broadcast(self.client, self.copies, self.store, kept),
            Presence(self.store),
            keystone,
            settings.scheduling.default_zone,
            # The control plane keeps them; here they are read.
            rolls=Rolls(self.store, self.client, keystone, SERVICES),
            cursors=Cursors(share=self._share),
            bringing=Bringing(self.client, own, self.store),
            suspect=suspicion.of,
        )
        self._tell = tell
        self._alone = settings.processor.count == 1
        self.processor = Processor(self.mirror, self.cloud, self.metrics)
        self.streams = Streams(self.processor.hold)
        self.words = Words(self.processor.say)
        self._stack = contextlib.AsyncExitStack()

    def _share(self, key: ListKey, last: str, places: Mapping[str, Place]) -> None:
        """Let the other workers know of a page; who comes back sooner has the place searched."""
        if not self._alone:
            self.cloud.later.run("places_not_told", self._tell(PlacesFound(key, last, places)))

    def _suspect(self, pod: str) -> None:
        """Have the control plane look at a pod that did not answer."""
        self.cloud.later.run("silence_not_told", self._tell(PodSilent(pod)))

    def show(self, shown: Shown) -> None:
        """Serve by a new view from now on."""
        self.mirror.show(shown)

    def change(self, changed: Changed) -> None:
        """Serve by a view of which something is new from now on."""
        self.mirror.change(changed)

    async def start(self, start: Start) -> None:
        """Listen; StartupError when that cannot be."""
        self.show(start.shown)
        self._stack.push_async_callback(self.store.close)
        await self._stack.enter_async_context(self.client)
        await self.copies.load()
        for server, place in ((self.streams, start.listen), (self.words, start.words)):
            try:
                await server.start(place)
            except OSError as error:
                message = f"{place}: cannot be listened on: {error.strerror or error}"
                raise StartupError(message) from error
        # What is there now stays: looking through it for what is not needed any more would stop
        # all requests for 50 ms at a time.
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """Let what is under way end, and close everything."""
        await asyncio.gather(self.streams.stop(PATIENCE), self.words.stop(GRACE))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self.cloud.later.finish()
        await self._stack.aclose()
