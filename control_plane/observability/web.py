"""`/metrics`, `/healthz` and `/readyz` over HTTP."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from control_plane.observability.metrics import CONTENT_TYPE

#: Gives what readiness depends on: a name, and None when it holds or else the reason.
Checks = Callable[[], Awaitable[Mapping[str, str | None]]]
#: Writes all metrics in Prometheus' text format.
Exposition = Callable[[], Awaitable[bytes]]


def application(exposition: Exposition, checks: Checks) -> web.Application:
    """Build the web application."""

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=await exposition(), headers={"content-type": CONTENT_TYPE})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        results = await checks()
        ready = all(reason is None for reason in results.values())
        lines = [f"{name}: {reason or 'ok'}\n" for name, reason in results.items()]
        return web.Response(status=200 if ready else 503, text="".join(lines))

    app = web.Application()
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app
