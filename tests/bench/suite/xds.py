"""A large fleet: how long until Envoy has it, and until one change arrives."""

import sqlite3
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import grpc

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pb import administration_pb2 as pb
from control_plane.pb.administration_pb2_grpc import AdministrationStub
from control_plane.replication.arrival import FACT
from control_plane.xds.gateway import Configuration
from control_plane.xds.options import GatewayOptions
from control_plane.xds.server import AggregatedDiscovery
from tests.bench import envoys, keystone
from tests.bench.envoys import Place
from tests.bench.gateway import Gateway, gateway, wait_until
from tests.bench.machine import Neighbours, Process
from tests.bench.rounds import Figures, Goal, Result, summarise
from tests.bench.scale import Scale

_SERVICES = ("compute", "volume", "image", "network", "placement")
_SETTLED = 4.0
#: Cores below which a control plane does nothing but watch, and how long that may take to come:
#: after a first start it gives every pod what users have.
_CALM, _CALM_WITHIN = 0.1, 240.0


def run(folder: Path, scale: Scale) -> Result:
    """Start Envoy over the fleet, add a pod and move it; then build in this process alone."""
    count = scale.clusters // len(_SERVICES)
    here, there = folder / "here", folder / "there"
    here.mkdir()
    there.mkdir()
    result, neighbours = Result("xds"), Neighbours()
    with (
        # They tell each other apart by the length of the list.
        envoys.pods(here, [1]) as first,
        envoys.pods(there, [2]) as second,
        gateway(folder / "gateway", first, count, _SERVICES, 1, tcp_egress=True) as under_test,
    ):
        settled = _settle(under_test, count)
        calm_cpu = under_test.plane.cpu
        channel = grpc.insecure_channel(under_test.xds)
        changes = [
            _change(under_test, channel, number, first, second) for number in range(scale.rounds)
        ]
        channel.close()
        processes = under_test.processes
        result.variants["change"] = summarise(changes)
        result.facts["control plane started s"] = under_test.started_after
        result.facts["and calm after s"] = settled
        result.facts["its CPU until then s"] = calm_cpu
        result.facts["memory MiB"] = {entry.name: entry.peak for entry in processes}
        result.facts["Envoy's CPU until live s"] = under_test.live_cpu
        result.facts["idle cores"] = _idle(processes)
    result.variants["rebuild"] = summarise(
        [_rebuild(count, number) for number in range(scale.rounds)]
    )
    result.neighbours = neighbours.cores()
    result.goals += [
        Goal(f"{scale.clusters} clusters live", under_test.live_after, 2.5, "s"),
        Goal("one pod added", result.figure("change", "added ms"), 150.0, "ms"),
        Goal("one pod moved", result.figure("change", "moved ms"), 150.0, "ms"),
    ]
    result.notes += [
        "live: from Envoy's start until every cluster is warm and the listener answers",
        "added, moved: from the administrator's call until Envoy routes there",
        "rebuild: one endpoint differs; CPU of building and of comparing, no Envoy connected",
    ]
    return result


def _change(
    under_test: Gateway, channel: grpc.Channel, number: int, first: Place, second: Place
) -> Figures:
    name = f"New{number}"
    before = under_test.plane.cpu
    added = _apply(under_test, channel, name, first)
    moved = _apply(under_test, channel, name, second)
    return {
        "added ms": added,
        "moved ms": moved,
        "cpu ms a change": (under_test.plane.cpu - before) * 500,
    }


def _apply(under_test: Gateway, channel: grpc.Channel, name: str, where: Place) -> float:
    """Apply a pod whose services are at a place; ms until the place answers through Envoy."""
    endpoints = dict.fromkeys(_SERVICES, f"{where.url}/pod0/v2.1")
    pod = pb.Pod(name=name, availability_zone=name.lower(), endpoints=endpoints)
    expected = len(_list(where.url, ""))
    stub: Any = AdministrationStub(channel)  # type: ignore[no-untyped-call]
    start = time.perf_counter()
    stub.ApplyPods(
        pb.ApplyPodsRequest(pods=[pod]), metadata=(("x-auth-token", keystone.ADMIN),), timeout=60
    )
    wait_until(lambda: len(_list(under_test.egress, f"{name}/compute")) == expected, 60, 0.005)
    return (time.perf_counter() - start) * 1000


def _list(url: str, cluster: str) -> bytes:
    request = urllib.request.Request(f"{url}/pod0/v2.1/servers/detail")
    if cluster:
        request.add_header("x-trio2o-cluster", cluster)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError:
        return b""


def _settle(under_test: Gateway, count: int) -> float:
    """Wait until every pod is ready and nothing more is to be done; how long that took."""
    start, plane = time.monotonic(), under_test.plane
    while True:
        before = plane.cpu
        time.sleep(2)
        if (plane.cpu - before) / 2 < _CALM and _ready(under_test) == count:
            return time.monotonic() - start
        if time.monotonic() - start > _CALM_WITHIN:
            raise TimeoutError(f"still at work after {_CALM_WITHIN:.0f} s")


def _ready(under_test: Gateway) -> int:
    """Count the pods that have the definitions of the others."""
    with sqlite3.connect(under_test.database, timeout=30) as connection:
        [found] = connection.execute("SELECT count(*) FROM facts WHERE key = ?", (FACT,)).fetchone()
    return int(found)


def _idle(processes: tuple[Process, ...]) -> dict[str, float]:
    before = [entry.cpu for entry in processes]
    time.sleep(_SETTLED)
    return {
        entry.name: (entry.cpu - was) / _SETTLED
        for entry, was in zip(processes, before, strict=True)
    }


def _rebuild(count: int, number: int) -> Figures:
    """Build everything, then again with one endpoint moved; milliseconds of CPU.

    Each round's first build is from nothing, but for what the first round of all had to import.
    """
    fleet = Fleet.of(Pod(str(place), f"Pod{place}", f"az{place}") for place in range(count))
    endpoints = {
        f"Pod{place}": {
            service: Endpoint("http", f"10.{number}.0.1", 10_000 + place) for service in _SERVICES
        }
        for place in range(count)
    }
    options, configuration, discovery = GatewayOptions(), Configuration(), AggregatedDiscovery()
    whole = time.process_time()
    discovery.publish(configuration.build(options, fleet, endpoints))
    whole = time.process_time() - whole
    moved = {**endpoints["Pod0"], "compute": Endpoint("http", f"10.{number}.1.1", 80)}
    start = time.process_time()
    snapshot = configuration.build(options, fleet, {**endpoints, "Pod0": moved})
    built = time.process_time() - start
    discovery.publish(snapshot)
    published = time.process_time() - start - built
    return {"build ms": built * 1000, "publish ms": published * 1000, "first ms": whole * 1000}
