"""Load on a URL: as much as goes (wrk), or so many requests a second (h2load)."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import Process
from tests.bench.rounds import Figures

_SCRIPT = Path(__file__).with_name("wrk.lua")
_MICROSECONDS = 1000
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
        "p50": found["p50"],
        "p95": found["p95"],
        "p99": found["p99"],
        "failed": float(found["failed"]),
        "requests": float(found["requests"]),
        **used,
    }


def paced(url: str, request: Request, rate: float, seconds: float, start: int = 0) -> Figures:
    """Ask so many times a second over one HTTP/2 connection; latency in ms."""
    count = max(10, int(rate * seconds))
    with tempfile.TemporaryDirectory(prefix="trio2o-bench") as folder:
        uris, log = Path(folder) / "uris", Path(folder) / "log"
        uris.write_text(
            "".join(
                f"{url}{request.path.replace('{id}', numbered(start + number))}\n"
                for number in range(count)
            ),
            encoding="ascii",
        )
        _run(
            "h2load",
            *("-c1", "-m100", f"-n{count}", f"--rps={rate:g}", "-T", "10", f"--log-file={log}"),
            *("-H", f"x-auth-token: {request.token}", "-i", str(uris)),
            timeout=seconds * 3 + 20,
        )
        lines = [line.split("\t") for line in log.read_text(encoding="ascii").splitlines()]
    times = sorted(int(duration) / _MICROSECONDS for _, _, duration in lines)
    return {
        "p50": _percentile(times, 50),
        "p95": _percentile(times, 95),
        "p99": _percentile(times, 99),
        "max": times[-1],
        "asked a second": rate,
        "failed": float(sum(status[:1] != "2" for _, status, _ in lines)),
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


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _run(tool: str, *arguments: str, timeout: float) -> str:
    if shutil.which(tool) is None:
        package = {"wrk": "wrk", "h2load": "nghttp2-client"}[tool]
        raise NoTool(f"error: {tool} is missing; on Debian: apt-get install {package}")
    done = subprocess.run(
        [tool, *arguments], check=False, capture_output=True, text=True, timeout=timeout
    )
    if done.returncode:
        raise SystemExit(f"error: {tool} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout
