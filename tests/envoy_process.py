"""A real Envoy for tests: started by its bootstrap, ended whatever happens."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from control_plane.xds.bootstrap import BootstrapOptions, bootstrap, envoy_command

_STARTED_WITHIN = 30.0


#: Below those that the kernel gives to connections: under load one of them would have the port
#: before who was to listen at it.
_PORTS = range(20_000, 32_000)
#: Those found before: whoever found one may not listen there yet.
_found: set[int] = set()


def free_port() -> int:
    """Find a port that nothing listens on now, each time another one."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Find so many in a row, and give the first."""
    if len(_found) > len(_PORTS) // 2:
        _found.clear()
    while True:
        first = random.choice(_PORTS)
        ports = range(first, first + count)
        if _found.isdisjoint(ports) and all(map(_is_free, ports)):
            _found.update(ports)
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as held:
        # As who will listen there: what is left of old connections does not count.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class EnvoyProcess:
    """A running Envoy; `log` is its standard error."""

    admin: str
    log: Path
    access_log: Path
    process: asyncio.subprocess.Process

    async def stats(self, prefix: str) -> dict[str, int]:
        """Read counters and gauges whose name begins with a prefix."""
        text = await self._get(f"/stats?usedonly&filter=^{prefix}")
        found = (line.rpartition(": ") for line in text.splitlines())
        return {name: int(value) for name, _, value in found if value.isdigit()}

    async def _get(self, path: str) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.admin}{path}") as answer,
        ):
            return await answer.text()


@asynccontextmanager
async def running_envoy(
    options: BootstrapOptions, folder: Path, concurrency: int = 2
) -> AsyncIterator[EnvoyProcess]:
    """Start Envoy and wait until it serves what the control plane at `options.xds` publishes.

    Standard output, where the access log goes by default, is in `access.log` of the folder.
    """
    config = folder / "bootstrap.json"
    config.write_text(json.dumps(bootstrap(options)))
    log, access_log = folder / "envoy.log", folder / "access.log"
    with log.open("wb") as errors, access_log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *envoy_command(config, concurrency), stdout=output, stderr=errors
        )
    try:
        envoy = EnvoyProcess(options.admin, log, access_log, process)
        await _ready(envoy)
        yield envoy
    finally:
        await _end(process)


async def _ready(envoy: EnvoyProcess) -> None:
    async with asyncio.timeout(_STARTED_WITHIN):
        while True:
            if envoy.process.returncode is not None:
                raise RuntimeError(f"Envoy ended at once:\n{envoy.log.read_text()}")
            try:
                if (await envoy._get("/ready")).startswith("LIVE"):
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
