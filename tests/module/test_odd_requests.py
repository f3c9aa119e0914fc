"""Requests byte for byte, to an Envoy with the module of known ids and to one without.

What Lua decides of a request the module must decide, too, or leave to it.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from control_plane.xds.gateway import OwnerCache
from tests.module.building import library
from tests.module.raw import exchange, exchange_h2
from tests.xds.gateway import LEARN, TO, Gateway, running_gateway
from tests.xds.test_owner_cache import POD2, SCRIPT, World

pytestmark = pytest.mark.envoy

KNOWN, UNKNOWN = str(uuid4()), str(uuid4())
PATH, STRANGE = (f"/compute/v2.1/servers/{known}/ips" for known in (KNOWN, UNKNOWN))
Fields = list[tuple[str, str]]
_VERSIONS = ("", "OpenStack-API-Version: compute 2.50", "X-OpenStack-Nova-API-Version: 2.60")


def request(line: str, *headers: str, body: bytes = b"", host: str = "Host: a") -> bytes:
    if not line.endswith(("/1.0", "/1.1")):
        line += " HTTP/1.1"
    lines = [line, *filter(None, [host, *headers]), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def forged() -> Iterator[bytes]:
    for path in (PATH, STRANGE):
        yield request(f"GET {path}", "X-Trio2o-Early-Known: Pod1/compute")
        yield request(f"GET {path}", "x-TRIO2O-early-SEEN: Pod1/compute \t ")
        yield request(f"GET {path}", *["X-Trio2o-Early-Known: Pod1/compute"] * 3)
        yield request(
            f"GET {path}", "x-trio2o-cluster: Pod1/compute", "x-trio2o-seen: Pod1/compute"
        )
        yield request(f"GET {path}", "X_Trio2o_Early_Known: Pod1/compute")
        yield request(f"GET {path}", "X-Trio2o-Early-Known : Pod1/compute")
        yield request(f"GET {path}", "X-A: a\r\n X-Trio2o-Early-Known: Pod1/compute")
        yield request(f"GET {path}", "Connection: x-trio2o-early-known")
        yield request(f"GET {path}", "x-envoy-original-path: /x", "x-envoy-max-retries: 9")
        yield request(f"GET {path}", "x-trio2o-explain: 1")
    trailers = b"1\r\na\r\n0\r\nx-trio2o-early-known: Pod1/compute\r\n\r\n"
    yield request(f"POST {PATH}", "Transfer-Encoding: chunked", body=trailers)


def odd_paths() -> Iterator[bytes]:
    below = ("?", "?a=b", "?x=/compute", "#x", "/", "/../ips", ";a=b", "%2F", "%3Fa", "/\xe9", "//")
    for tail in below:
        yield request(f"GET {PATH}{tail}")
    for path in (PATH.replace("/ips", "%2Fips"), f"/{PATH}", PATH.upper(), f"http://b.c{PATH}"):
        yield request(f"GET {path}")
    yield request(f"GET https://b.c{PATH}")
    yield request(f"GET {PATH}?{'q' * 8000}")
    yield request("OPTIONS *")
    yield request("CONNECT a:80")
    yield request(f"CONNECT {PATH}")
    yield request(f"FOO {PATH}")


def odd_protocols() -> Iterator[bytes]:
    yield request(f"GET {PATH} HTTP/1.0", host="")
    yield request(f"GET {PATH}", host="")
    yield f"GET {PATH}\r\n\r\n".encode()
    yield request(f"GET {PATH}", "Upgrade: websocket", "Connection: Upgrade")
    yield request(f"GET {PATH}", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    yield request(f"PUT {PATH}", "Expect: 100-continue", "Content-Length: 1", body=b"a")
    both = ("Content-Length: 3", "Transfer-Encoding: chunked")
    yield request(f"POST {PATH}", *both, body=b"0\r\n\r\n")
    yield request(f"GET {PATH}", *(f"X-{at}: y" for at in range(90)))
    yield request(f"GET {PATH}", *(f"X-{at}: y" for at in range(200)))


def versions() -> Iterator[bytes]:
    standard, legacy = _VERSIONS[1:]
    for said in ((standard,), (legacy,), (standard, legacy), (standard, standard)):
        yield request(f"GET {PATH}", *said)
    for text in ("", " compute 2.50 \t ", "compute 2.999", "compute 2.50,compute 2.60", "2.50"):
        yield request(f"GET {PATH}", f"OpenStack-API-Version:{text}")
        yield request(f"GET {PATH}", f"X-OpenStack-Nova-API-Version:{text}")


def over_http2() -> Iterator[Fields]:
    start = [(":method", "GET"), (":scheme", "http"), (":authority", "a")]
    for path in (PATH, STRANGE, f"{PATH}?a=b", f"{PATH}/é", f"/{PATH}", f"{PATH}#x"):
        asked = [*start, (":path", path)]
        yield asked
        yield [*asked, ("x-trio2o-early-known", " Pod1/compute ")]
        yield [*asked, *[("x-trio2o-early-seen", "Pod1/compute")] * 3]
        yield [*asked, ("openstack-api-version", "compute 2.50 ")]
        yield [*asked, *[("openstack-api-version", "compute 2.50")] * 2]
    # Envoy ends the connection.
    yield [*start, (":path", PATH), ("X-Trio2o-Early-Known", "Pod1/compute")]
    yield [*start, (":path", PATH), (":path", STRANGE)]
    yield [(":method", "CONNECT"), (":protocol", "websocket"), *start[1:], (":path", PATH)]


async def send(gateway: Gateway, asked: bytes | Fields) -> bytes:
    host, _, port = gateway.options.listen.rpartition(":")
    if isinstance(asked, bytes):
        return await exchange(host, int(port), asked)
    return await exchange_h2(host, int(port), asked)


async def prepare(gateway: Gateway) -> None:
    """Let each worker of Envoy know the id, and the module what Lua has decided."""
    lesson = World(gateway).lesson(KNOWN, POD2)
    learn = request(f"GET {PATH}/unknown", f"{TO}: Pod2/compute", f"{LEARN}: {lesson}")
    for _ in range(16):
        await send(gateway, learn)
        for method in ("GET", "POST", "PUT"):
            for version in _VERSIONS:
                await send(gateway, request(f"{method} {PATH}", version))


async def outcome(gateway: Gateway, asked_for: bytes | Fields) -> dict[str, Any]:
    """Say what became of a request: at the client, at the pods and at the processor."""
    for upstream in gateway.upstreams.values():
        upstream.requests.clear()
    asked = len(gateway.processor.seen)
    head, _, body = (await send(gateway, asked_for)).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().splitlines()
    start = body.find(b"{")
    document = json.loads(body[start : body.rfind(b"}") + 1]) if start >= 0 else {}
    names = [*document.get("headers", ()), *lines]
    return {
        "status": lines[:1],
        "pods": {name: pod.requests[:] for name, pod in gateway.upstreams.items()},
        "asked": len(gateway.processor.seen) - asked,
        "ours": [name for name in names if name.startswith(("x-trio2o", "x-envoy", "proxy-"))],
    }


async def test_odd_requests_are_answered_as_without_the_module(folder: Path) -> None:
    module = str(library(folder))
    async with AsyncExitStack() as stack:
        gateways = []
        for name, path in (("with", module), ("without", "")):
            (folder / name).mkdir()
            running = running_gateway(
                folder / name, cache=OwnerCache(SCRIPT), owner_cache=True, module=path
            )
            gateways.append(await stack.enter_async_context(running))
            await prepare(gateways[-1])
        plain = (*forged(), *odd_paths(), *odd_protocols(), *versions())
        for text in (*plain, *over_http2()):
            found, expected = await asyncio.gather(*(outcome(each, text) for each in gateways))
            assert found == expected, text
            assert found["ours"] == []
            assert found["pods"]["Pod1"] == []
