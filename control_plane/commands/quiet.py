"""Have an Envoy take no more connections and end what is under way, before it is ended."""

import asyncio
import contextlib

import aiohttp

from control_plane.model.address import Address
from control_plane.xds.routes import INGRESS

_ACTIVE = f"http.{INGRESS}.downstream_rq_active"
#: How long Envoy's administration port may take to answer, and between two looks, seconds.
_ANSWER = 1.0
_LOOK = 0.05


async def quiet(admin: Address, within: float) -> None:
    """Return when no request of a client is under way, or after so many seconds.

    An Envoy that cannot be asked is left as it is.
    """
    timeout = aiohttp.ClientTimeout(total=_ANSWER)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with (
            asyncio.timeout(within),
            aiohttp.ClientSession(f"http://{admin}", timeout=timeout) as session,
        ):
            # From now on answers end their connections. The egress listener goes on: lists that
            # are under way need it.
            for order in ("/healthcheck/fail", "/drain_listeners?inboundonly"):
                await (await session.post(order)).read()
            while await _active(session):  # noqa: ASYNC110  # another process decides
                await asyncio.sleep(_LOOK)


async def _active(session: aiohttp.ClientSession) -> int:
    async with session.get("/stats", params={"filter": f"^{_ACTIVE}$"}) as answer:
        return int((await answer.text()).rpartition(":")[2] or 0)
