"""One control plane: everything put together, started and stopped in order.

Requests are answered by processes of their own (`workers/`); this one decides which pods there
are, tells Envoy and the workers, and serves operators.
"""

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc
import structlog
from aiohttp import web

from control_plane.administration.grpc import administration_handler
from control_plane.administration.rest import application as rest_application
from control_plane.administration.service import Administration, Located
from control_plane.database.store import Store
from control_plane.directory.rolls import Rolls
from control_plane.directory.survey import survey
from control_plane.identity.keystone import Keystone, KeystoneError
from control_plane.identity.tokens import TokenVerifier
from control_plane.model.address import Address
from control_plane.model.errors import InUse, Invalid, StartupError, unavailable
from control_plane.model.owner import Owner
from control_plane.observability.metrics import Metrics
from control_plane.observability.web import application as metrics_application
from control_plane.pods.client import PodClient
from control_plane.pods.registry import Registry
from control_plane.pods.view import View
from control_plane.replication.arrival import FACT, Arrival
from control_plane.replication.copies import Copies
from control_plane.replication.giving import Giving
from control_plane.replication.holdings import Holdings
from control_plane.replication.inventory import Inventory
from control_plane.replication.kept import Kept
from control_plane.replication.own import Own
from control_plane.replication.pending import Pending
from control_plane.replication.replay import Replay
from control_plane.replication.replicator import Replicator
from control_plane.replication.rounds import Rounds
from control_plane.services.catalog import SERVICES
from control_plane.services.table import Table
from control_plane.settings import Settings
from control_plane.workers.forward import Forward
from control_plane.workers.notices import CopiesChanged, PodSilent
from control_plane.workers.pool import Pool
from control_plane.workers.worker import GRACE
from control_plane.xds.certificate import CertificateFiles
from control_plane.xds.gateway import NO_CACHE, Configuration, OwnerCache
from control_plane.xds.nodes import Silent, SyncState
from control_plane.xds.options import GatewayOptions
from control_plane.xds.owner_cache import Epoch, source
from control_plane.xds.publication import Publication
from control_plane.xds.server import AggregatedDiscovery

log = structlog.get_logger()

_KEYSTONE_CHECK_SECONDS = 10.0
#: How long readiness waits for the pods of the first start to have all definitions, seconds.
_SETTLING_SECONDS = 30.0


class XdsMetrics(Silent):
    """Counts what Envoys refuse, and says so in the log."""

    def __init__(self, metrics: Metrics) -> None:
        """Count into `metrics`."""
        self._metrics = metrics

    def nacked(self, node: str, type_url: str, version: str, reason: str) -> None:
        """Count a NACK; an operator must hear of it."""
        self._metrics.refused(type_url.rpartition(".")[2])
        log.error("xds_refused", node=node, type=type_url, version=version, reason=reason)

    def module_left_out(self, node: str, module: str) -> None:
        """Say what follows from the refusal before, which says what was wrong."""
        log.warning(
            "known_ids_module_left_out",
            node=node,
            module=module,
            known_ids="lua",
            hint="envoy.module: false, or a bootstrap without --module, does not try it",
        )


def gateway_options(settings: Settings) -> GatewayOptions:
    """Translate the settings into what Envoy's resources depend on."""
    return GatewayOptions(
        listen=str(settings.listen),
        tls=settings.tls.enabled,
        egress=str(settings.egress),
        trusted_hops=settings.envoy.trusted_hops,
        ca_file=settings.envoy.ca_file,
        request_timeout=settings.timeouts.pod,
        processor_timeout=settings.timeouts.pod + settings.timeouts.keystone,
        owner_cache=settings.owner_cache.enabled,
    )


class ControlPlane:
    """The parts of one control plane."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Wire the parts; nothing listens and nothing is asked yet."""
        self.settings = settings
        self.store = store
        self.metrics = Metrics()
        self.keystone = Keystone(settings)
        self.verifier = TokenVerifier(self.keystone)
        self.registry = Registry(store, self.keystone, SERVICES)
        self.client = PodClient(
            settings.egress, self.registry, settings.timeouts.list, self.metrics
        )
        self.registry.asker = self.client
        self.pool = Pool(settings, self._heard)
        self.registry.show = self.pool.show
        own = Own(self.keystone, self.verifier)
        inventory = Inventory(self.client, own, lambda: self.registry.view)
        self.copies = Copies(
            store, inventory, tell=lambda resource: self.pool.tell(CopiesChanged(resource))
        )
        self.registry.names = self.copies
        self.registry.needs = FACT
        tables = {service.name: Table(service) for service in SERVICES}
        replay = Replay(self.client, self.copies, own, tables)
        kept = Kept(self.client, self.copies, own, store)
        pending = Pending(self.client, self.copies, store, replay)

        def holdings() -> Holdings:
            return Holdings(self.client, self.copies, inventory, own, kept, self.keystone)

        giving = Giving(self.client, self.copies, store, replay)
        arrival = Arrival(holdings, giving, store)
        self.rounds = Rounds(holdings, arrival, store)
        self.replicator = Replicator(self.copies, pending, arrival, store, self.registry)
        self.rolls = Rolls(store, self.client, self.keystone, SERVICES)
        self.discovery = AggregatedDiscovery(XdsMetrics(self.metrics))
        self.options = gateway_options(settings)
        self._epoch = Epoch()
        self._configuration = Configuration()
        self.certificate = CertificateFiles(settings.tls)
        self.administration = Administration(
            store,
            on_change=self.registry.refresh,
            locate=self._locate,
            verify=self.verifier.verify,
            nodes=self.discovery.nodes,
        )
        self._publication = Publication(self._publish)
        self.registry.subscribe(self._changed)
        self._keystone_reason: str | None = "not asked yet"
        self._settling = time.monotonic() + _SETTLING_SECONDS

    async def _heard(self, notice: object) -> None:
        """Take in what a worker tells all."""
        if isinstance(notice, CopiesChanged):
            await self.copies.reload(notice.resource)
        elif isinstance(notice, PodSilent):
            self.registry.suspect(notice.pod)

    async def exposition(self) -> bytes:
        """Write the metrics of this process and its workers as one."""
        return await self.pool.exposition(self.metrics.registry.collect())

    async def _changed(self, _: View) -> None:
        await self.publish()

    async def publish(self) -> None:
        """Wait until Envoys are given all as it is now, together with what else changes."""
        await self._publication.wanted()

    def _publish(self) -> None:
        """Give Envoy the pods as they are now."""
        view = self.registry.view
        cache = self._owner_cache(view)
        snapshot = self._configuration.build(
            self.options, view.fleet, view.endpoints, cache, self.certificate.content
        )
        self.discovery.publish(snapshot)
        counts = {url.rpartition(".")[2]: len(named) for url, named in snapshot.resources.items()}
        versions = {url.rpartition(".")[2]: text for url, text in snapshot.versions.items()}
        self.metrics.published(time.time(), counts, versions)
        self.metrics.pods(dict(Counter(pod.state.value for pod in view.fleet)))
        log.info("snapshot_published", pods=len(view.fleet.pods), resources=counts)

    def _owner_cache(self, view: View) -> OwnerCache:
        """Say what the owner cache of each Envoy must know."""
        if not self.options.owner_cache:
            return NO_CACHE
        ranges = {service.name: view.version_range(service.name) for service in SERVICES}
        entries = self.settings.owner_cache.entries
        script = source(ranges, entries, self._epoch.of(view))
        lost = sorted(pod.name for pod in view.fleet.serving if not view.reachable(pod.name))
        return OwnerCache(script, tuple(lost))

    async def _locate(self, resource_id: str) -> Located | None:
        """Find an id for an operator: the store first, then all pods with the gateway's token."""
        owner, source = await self.store.owner(resource_id), "database"
        if owner is None:
            owner, source = await self._survey(resource_id), "pods"
        if owner is None:
            return None
        pod = self.registry.view.fleet.get(owner.pod)
        return Located(owner, pod.availability_zone if pod else "", source)

    async def _survey(self, resource_id: str) -> Owner | None:
        view = self.registry.view
        try:
            token = await self.keystone.token()
        except KeystoneError as error:
            message = "Keystone cannot be reached."
            raise unavailable(message) from error
        own = await self.verifier.verify(token)
        pods = {service.name: view.with_service(service.name) for service in SERVICES}
        return await survey(self.client, SERVICES, pods, resource_id, token, own.project_id)

    async def checks(self) -> Mapping[str, str | None]:
        """Say what readiness depends on."""
        nodes = self.discovery.nodes()
        envoy = (
            None if any(_is_served(node.types) for node in nodes) else "no Envoy has all it needs"
        )
        return {
            "envoy": envoy,
            "workers": self.pool.fault(),
            "keystone": self._keystone_reason,
            "definitions": self._settling_reason(),
        }

    def _settling_reason(self) -> str | None:
        """Say which pods have no definitions yet; only of the pods of the first start.

        A pod that comes later takes no creates until it is ready, and is no reason for a gateway
        that serves the others not to be.
        """
        view = self.registry.view
        arriving = [name for name in view.arriving if view.reachable(name)]
        nobody = len(view.arriving) == len(view.fleet.serving) > 0
        if time.monotonic() >= self._settling or not (arriving or nobody):
            self._settling = 0.0
            return None
        return "pods are being given flavors and types"

    def asked(self) -> View | None:
        """Give the pods; None while no Envoy is there to ask them through."""
        return self.registry.view if self.registry.open else None

    async def watch_keystone(self) -> None:
        """Ask Keystone for a token now and then, so that readiness knows."""
        while True:
            try:
                await self.keystone.token()
                self._keystone_reason = None
            except KeystoneError as error:
                self._keystone_reason = f"Keystone does not answer: {error}"
            healthy = self._keystone_reason is None
            await asyncio.sleep(_KEYSTONE_CHECK_SECONDS if healthy else 1.0)

    async def watch_nodes(self) -> None:
        """Keep the metrics of connected Envoys true."""
        while True:
            states: Counter[tuple[str, str]] = Counter()
            for node in self.discovery.nodes():
                for entry in node.types:
                    states[entry.type_url.rpartition(".")[2], entry.state.value] += 1
            self.metrics.nodes(dict(states))
            await asyncio.sleep(2)


def _is_served(types: tuple[object, ...]) -> bool:
    """Whether an Envoy took listeners, routes and clusters, or refused none of them."""
    states = {getattr(entry, "type_url", ""): entry for entry in types}
    needed = [
        entry
        for url, entry in states.items()
        if url.endswith((".Listener", ".RouteConfiguration", ".Cluster"))
    ]
    return len(needed) >= 3 and all(  # noqa: PLR2004  # the three types just named
        getattr(entry, "state", None) is SyncState.SYNCED for entry in needed
    )


@asynccontextmanager
async def _web(application: web.Application, listen: Address) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, listen.host, listen.port).start()
        yield
    except OSError as error:
        message = f"{listen}: {error.strerror or error}"
        raise StartupError(message) from error
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _grpc(plane: ControlPlane, listen: Address) -> AsyncIterator[None]:
    # SO_REUSEPORT off: a second control plane on the port must fail, not share it unseen.
    server = grpc.aio.server(
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", 64 << 20),
            ("grpc.max_send_message_length", 64 << 20),
        ]
    )
    server.add_generic_rpc_handlers(
        (
            plane.discovery.handlers(),
            administration_handler(plane.administration),
            Forward(plane.settings.processors).handler(),
        )
    )
    try:
        bound = server.add_insecure_port(str(listen))
    except RuntimeError as error:
        message = f"{listen}: cannot be listened on"
        raise StartupError(message) from error
    if not bound:
        message = f"{listen}: cannot be listened on"
        raise StartupError(message)
    await server.start()
    try:
        yield
    finally:
        await server.stop(GRACE)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run a control plane until `stop` is set; StartupError when it cannot start."""
    store = Store.open(settings.database)
    plane = ControlPlane(settings, store)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await stack.enter_async_context(plane.client)
        try:
            await plane.administration.apply(settings.pods)
        except (Invalid, InUse) as error:
            message = f"pods: {error}"
            raise StartupError(message) from error
        await plane.registry.start()
        rest = rest_application(plane.administration, settings.identity.auth_url)
        await stack.enter_async_context(_web(rest, settings.admin.listen))
        pages = metrics_application(plane.exposition, plane.checks)
        await stack.enter_async_context(_web(pages, settings.metrics.listen))
        # Before Envoy can hear of anything that they must answer for.
        stack.push_async_callback(plane.pool.stop)
        await plane.pool.start(plane.registry.view)
        plane._publish()  # noqa: SLF001  # also when there is no pod yet
        await stack.enter_async_context(_grpc(plane, settings.xds.listen))
        loops = [
            asyncio.create_task(plane.pool.run()),
            asyncio.create_task(plane.registry.run()),
            asyncio.create_task(plane.replicator.run()),
            asyncio.create_task(plane.rolls.run(lambda: plane.registry.view)),
            asyncio.create_task(plane.rounds.run(plane.asked)),
            asyncio.create_task(plane.watch_keystone()),
            asyncio.create_task(plane.watch_nodes()),
            asyncio.create_task(plane.certificate.watch(plane.publish)),
        ]
        # What is here by now stays; a collector that looks through it all stops every request for
        # a tenth of a second and more.
        gc.collect()
        gc.freeze()
        log.info("started", listen=str(settings.listen), xds=str(settings.xds.listen))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *loops], return_when=asyncio.FIRST_COMPLETED)
        for task in (*loops, stopping):
            task.cancel()
        await asyncio.gather(*loops, stopping, return_exceptions=True)
        for task in done - {stopping}:
            task.result()
        log.info("stopped")
