"""A whole gateway for tests: ADS and a stub of the processor in this process, a real Envoy."""

import asyncio
import dataclasses
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from aiohttp import web

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.xds.bootstrap import BootstrapOptions
from control_plane.xds.certificate import Certificate
from control_plane.xds.gateway import NO_CACHE, OwnerCache, build
from control_plane.xds.module import built_module
from control_plane.xds.options import GatewayOptions
from control_plane.xds.server import AggregatedDiscovery
from tests.envoy_process import EnvoyProcess, free_port, running_envoy
from tests.xds.health import Health

PROCESSOR = "envoy.service.ext_proc.v3.ExternalProcessor"

#: By this header a test tells the stub where a request goes.
TO = "to-cluster"
#: And what the owner cache is to keep of it.
LEARN = "to-learn"


class Upstream:
    """A pod's service: answers with who it is and what it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.requests: list[str] = []
        self.delay = 0.0
        #: What it answers in place of who it is.
        self.document: bytes | None = None
        self.status = 200
        self.headers: dict[str, str] = {}
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("http", "127.0.0.1", self.port)

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=tls).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        if request.path != "/":
            self.requests.append(f"{request.method} {request.path_qs}")
            await asyncio.sleep(self.delay)
        if self.document is not None:
            return web.Response(
                status=self.status,
                body=self.document,
                content_type="application/json",
                headers=self.headers,
            )
        return web.json_response(
            status=self.status,
            data={
                "pod": self.name,
                "path": request.raw_path,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "bytes": size,
            },
            headers={
                "server": "a-pod",
                "x-openstack-request-id": "req-of-the-pod",
                **self.headers,
            },
        )


class Processor:
    """A stub of the processor: routes by the header `to-cluster`, answers 404 without it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    def handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            PROCESSOR,
            {
                "Process": grpc.stream_stream_rpc_method_handler(
                    self._process,
                    request_deserializer=pb.ProcessingRequest.FromString,
                    response_serializer=pb.ProcessingResponse.SerializeToString,
                )
            },
        )

    async def _process(
        self, requests: AsyncIterator[pb.ProcessingRequest], _context: object
    ) -> AsyncIterator[pb.ProcessingResponse]:
        async for request in requests:
            headers = {
                header.key: header.raw_value.decode()
                for header in request.request_headers.headers.headers
            }
            self.seen.append(headers)
            yield self._decide(headers)

    def _decide(self, headers: dict[str, str]) -> pb.ProcessingResponse:
        cluster = headers.get(TO)
        if cluster is None:
            answer = pb.ImmediateResponse(
                status=pb.HttpStatus(code=503 if "say-503" in headers else 404),
                headers=pb.HeaderMutation(set_headers=[_header("content-type", "text/x-ours")]),
                body=b"the processor's own words",
                details=headers.get("details", "trio2o_no_such_path"),
            )
            return pb.ProcessingResponse(immediate_response=answer)
        if cluster == "nowhere":
            return pb.ProcessingResponse(request_headers=pb.HeadersResponse())
        mutation = pb.HeaderMutation(set_headers=[_header("x-trio2o-cluster", cluster)])
        if "new-path" in headers:
            mutation.set_headers.append(_header(":path", headers["new-path"]))
        response = pb.ProcessingResponse(
            request_headers=pb.HeadersResponse(
                response=pb.CommonResponse(header_mutation=mutation, clear_route_cache=True)
            )
        )
        pod, _, service = cluster.partition("/")
        said = {"pod": pod, "service": service}
        if LEARN in headers:
            said["learn"] = headers[LEARN]
        response.dynamic_metadata.update({"trio2o": said})
        return response


def _header(name: str, value: str) -> pb.HeaderValueOption:
    return pb.HeaderValueOption(
        header=pb.HeaderValue(key=name, raw_value=value.encode()),
        append_action=pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )


@dataclass(slots=True)
class Gateway:
    """Everything a test holds of a running gateway."""

    options: GatewayOptions
    discovery: AggregatedDiscovery
    processor: Processor
    server: grpc.aio.Server
    upstreams: dict[str, Upstream]
    session: aiohttp.ClientSession
    xds_port: int
    cache: OwnerCache = NO_CACHE
    certificate: Certificate | None = None
    envoy: EnvoyProcess | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.options.tls else 'http'}://{self.options.listen}"

    def publish(self, *pods: str, services: tuple[str, ...] = ("compute", "network")) -> None:
        """Publish a fleet of the named upstreams, each offering the services at one port."""
        fleet = Fleet.of(Pod(name, name, "az1") for name in pods)
        endpoints = {name: dict.fromkeys(services, self.upstreams[name].endpoint) for name in pods}
        self.discovery.publish(build(self.options, fleet, endpoints, self.cache, self.certificate))

    async def restart_control_plane(self) -> grpc.aio.Server:
        """Serve again on the same port; the caller stops what is returned."""
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            (self.discovery.handlers(), self.processor.handlers(), Health().handler())
        )
        server.add_insecure_port(f"127.0.0.1:{self.xds_port}")
        await server.start()
        return server

    async def synced(self) -> None:
        """Wait until each Envoy has all that is published."""
        await eventually(
            lambda: (
                bool(self.discovery.nodes())
                and all(
                    status.state == "SYNCED"
                    for node in self.discovery.nodes()
                    for status in node.types
                )
            )
        )

    async def routes_to(self, pod: str) -> None:
        """Wait until a pod's cluster is warm."""

        async def warm() -> bool:
            async with self.session.get(
                f"{self.url}/compute/v2.1", headers={TO: f"{pod}/compute"}
            ) as answer:
                return answer.status == 200

        await eventually(warm)


def module_or_skip() -> str:
    """Find the module of known ids; skips the test where there is none."""
    module = built_module()
    if module is None:
        pytest.skip("the module of known ids is not built: there is no C compiler")
    return str(module)


async def eventually(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], within: float = 20.0
) -> None:
    """Wait until a condition holds; TimeoutError if it does not come true."""
    async with asyncio.timeout(within):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running_gateway(
    tmp_path: Path,
    *,
    delta: bool = True,
    pods: tuple[str, ...] = ("Pod1", "Pod2"),
    cache: OwnerCache = NO_CACHE,
    certificate: Certificate | None = None,
    services: tuple[str, ...] = ("compute", "network"),
    module: str = "",
    **changes: Any,
) -> AsyncIterator[Gateway]:
    """Start upstreams Pod1 to Pod3, the control plane's two services, and Envoy.

    `module`: where that of known ids is, if Envoy is to have it.
    """
    async with AsyncExitStack() as stack:
        # The path of a Unix socket may have 108 bytes; pytest's folders are longer.
        sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="trio2o"))
        options = dataclasses.replace(
            GatewayOptions(
                listen=f"127.0.0.1:{free_port()}",
                egress=f"unix:{sockets}/egress",
                health_check_interval=0.5,
                unhealthy_check_interval=0.5,
                unasked_check_interval=0.5,
                health_check_timeout=1.0,
                tls=certificate is not None,
                processor_timeout=5.0,
            ),
            **changes,
        )
        discovery, processor = AggregatedDiscovery(), Processor()
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            (discovery.handlers(), processor.handlers(), Health().handler())
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, 0.2)
        upstreams = {name: Upstream(name) for name in ("Pod1", "Pod2", "Pod3")}
        for upstream in upstreams.values():
            await upstream.start()
            stack.push_async_callback(upstream.stop)
        session = await stack.enter_async_context(
            # Who looks at a certificate does so in a session of its own.
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=False))
        )
        gateway = Gateway(options, discovery, processor, server, upstreams, session, port, cache)
        gateway.certificate = certificate
        gateway.publish(*pods, services=services)
        gateway.envoy = await stack.enter_async_context(
            running_envoy(
                BootstrapOptions(
                    node_id="envoy-1",
                    xds=f"127.0.0.1:{port}",
                    processors=(f"127.0.0.1:{port}",),
                    words=(f"127.0.0.1:{port}",),
                    admin=f"127.0.0.1:{free_port()}",
                    delta=delta,
                    module=module,
                ),
                tmp_path,
            )
        )
        for pod in pods:
            await gateway.routes_to(pod)
        yield gateway
