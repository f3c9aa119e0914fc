"""Load on a URL: as much as goes, or so many requests a second (wrk); over HTTP/2 (h2load)."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import Process
from tests.bench.rounds import Figures

_SCRIPT = Path(__file__).with_name("wrk.lua")
#: So many that one is nearly always free when a request is due.
_PACED_CONNECTIONS = 64
#: What h2load prints of the answers' statuses.
_COUNTS = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_RATE = re.compile(r"([\d.]+) req/s")


class NoTool(SystemExit):
    """A load generator is not installed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; `{id}` in the path is another id each time."""

    path: str
    method: str = "GET"
    body: str = ""
    token: str = "user"


def numbered(number: int) -> str:
    """Write the id of a number, as the load generator does."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def full(
    url: str,
    request: Request,
    seconds: float,
    processes: Sequence[Process],
    connections: int = 16,
    start: int = 0,
) -> Figures:
    """Ask as fast as answers come; rate, latency in ms, CPU seconds per 10,000 requests."""
    return _wrk(url, request, seconds, processes, connections, start, {})


def paced(
    url: str,
    request: Request,
    rate: float,
    seconds: float,
    processes: Sequence[Process],
    start: int = 0,
) -> Figures:
    """Ask so many times a second on average, at times that chance chooses; figures as of `full`."""
    pace = {"REQUESTS_A_SECOND": f"{rate:g}"}
    return _wrk(url, request, seconds, processes, _PACED_CONNECTIONS, start, pace)


def _wrk(
    url: str,
    request: Request,
    seconds: float,
    processes: Sequence[Process],
    connections: int,
    start: int,
    pace: Mapping[str, str],
) -> Figures:
    before = [process.cpu for process in processes]
    done = _run(
        "wrk",
        *(
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--timeout",
            "10s",
            "-s",
            str(_SCRIPT),
            url,
        ),
        *("--", request.method, request.path, str(start), request.body, request.token),
        timeout=seconds + 20,
        environment=pace,
    )
    line = next(line for line in done.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    requests = max(1, found["requests"])
    used = {
        f"cpu {process.name}": (process.cpu - was) / requests * 10_000
        for process, was in zip(processes, before, strict=True)
    }
    return {
        "rate": found["requests"] / found["seconds"],
        **{name: float(found[name]) for name in ("p50", "p95", "p99", "max", "failed", "requests")},
        **used,
    }


def flood(
    url: str,
    request: Request,
    count: int,
    processes: Sequence[Process],
    connections: int,
    streams: int = 0,
) -> Figures:
    """Ask so often as fast as answers come; `streams` of each HTTP/2 connection, 0: HTTP/1.1.

    A number and not a time: h2load does not end in time when a connection of many is still being
    made.
    """
    protocol = [f"-m{streams}"] if streams else ["-m1", "--h1"]
    before = [process.cpu for process in processes]
    done = _run(
        "h2load",
        *(f"-c{connections}", f"-n{max(count, connections)}", "-T", "30", *protocol),
        *("-H", f"x-auth-token: {request.token}", f"{url}{request.path}"),
        timeout=count / 100 + 60,
    )
    counts, rate = _COUNTS.search(done), _RATE.search(done)
    if counts is None or rate is None:
        raise SystemExit(f"error: h2load said: {done[-500:]}")
    good, *others = map(int, counts.groups())
    used = {
        f"cpu {process.name}": (process.cpu - was) / max(1, good) * 10_000
        for process, was in zip(processes, before, strict=True)
    }
    return {"rate": float(rate[1]), "failed": float(sum(others)), "requests": float(good), **used}


def _run(
    tool: str, *arguments: str, timeout: float, environment: Mapping[str, str] | None = None
) -> str:
    if shutil.which(tool) is None:
        package = {"wrk": "wrk", "h2load": "nghttp2-client"}[tool]
        raise NoTool(f"error: {tool} is missing; on Debian: apt-get install {package}")
    done = subprocess.run(
        [tool, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        raise SystemExit(f"error: {tool} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout
