"""The commands that speak to a control plane, against a real gRPC server."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import structlog
import yaml
from click.testing import CliRunner, Result

from control_plane.commands import main
from control_plane.model.intent import Intent
from control_plane.model.owner import Owner
from control_plane.model.pod import PodState
from control_plane.xds.nodes import SyncState
from tests.administration.stand_in import ADMIN, MEMBER, StandIn, grpc_server, node

Run = Callable[..., Awaitable[Result]]
PODS = """
name: Pod1
availability_zone: az1
labels: {gpu: "true"}
---
name: Pod2
availability_zone: az2
"""


@pytest.fixture
async def trio2o(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Run]:
    """Run the command in a thread, as the server lives in this loop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIO2O_CONFIG", raising=False)
    monkeypatch.setenv("OS_TOKEN", ADMIN)
    _write(PODS)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, arguments)

    async with grpc_server(stand_in.administration) as address:
        monkeypatch.setenv("TRIO2O_SERVER", address)
        # The server logs in this process, where the command's output is read.
        with structlog.testing.capture_logs():
            yield run


def _write(pods: str) -> None:
    Path("pods.yaml").write_text(pods)


async def test_pods_are_applied(trio2o: Run) -> None:
    tried = await trio2o("apply", "-f", "pods.yaml", "--dry-run")
    first = await trio2o("apply", "-f", "pods.yaml")
    _write(PODS.replace('"true"', '"false"'))
    second = await trio2o("apply", "-f", "pods.yaml")

    assert tried.stdout == "pod Pod1 created (dry run)\npod Pod2 created (dry run)\n"
    assert first.stdout == "pod Pod1 created\npod Pod2 created\n"
    assert second.stdout == "pod Pod1 configured: labels\npod Pod2 unchanged\n"


async def test_apply_waits_for_every_envoy(trio2o: Run, stand_in: StandIn) -> None:
    stand_in.nodes = [node(SyncState.STALE)]

    async def accept() -> None:
        await stand_in.changed.wait()
        stand_in.nodes = [node(SyncState.SYNCED)]

    result, _ = await asyncio.gather(trio2o("apply", "-f", "pods.yaml", "--wait"), accept())

    assert result.exit_code == 0
    assert result.stdout.endswith("in sync: 1 Envoy\n")


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (SyncState.STALE, "applied, but not in sync after 0.1 s: gateway-1"),
        (SyncState.NACK, "Envoy gateway-1 refuses type.googleapis.com"),
    ],
)
async def test_apply_says_which_envoy_lags_or_refuses(
    trio2o: Run, stand_in: StandIn, state: SyncState, fault: str
) -> None:
    stand_in.nodes = [node(state, "no such filter")]

    result = await trio2o("apply", "-f", "pods.yaml", "--wait", "--timeout", "0.1")

    assert result.exit_code == 1
    assert fault in result.stderr


async def test_pods_are_shown_in_every_form(trio2o: Run) -> None:
    await trio2o("apply", "-f", "pods.yaml")

    table = await trio2o("get", "pods")
    wide = await trio2o("get", "pods", "-o", "wide")
    as_json = await trio2o("get", "pods", "-o", "json")
    as_yaml = await trio2o("get", "pods", "-o", "yaml")

    assert table.stdout.splitlines()[1].split() == ["Pod1", "az1", "enabled", "100", "-"]
    assert "gpu=true" in wide.stdout
    assert [pod["name"] for pod in json.loads(as_json.stdout)["pods"]] == ["Pod1", "Pod2"]
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)


async def test_pending_writes_are_shown(trio2o: Run, stand_in: StandIn) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    await stand_in.store.add_intents(
        [Intent("Pod2", "compute/flavor/1", "compute", "POST", "/flavors", reason="no answer")]
    )

    table = await trio2o("get", "pending")
    wide = await trio2o("get", "pending", "-o", "wide")
    other = await trio2o("get", "pending", "--pod", "Pod1", "-o", "json")
    unknown = await trio2o("get", "pending", "--pod", "Pod9")
    pod = await trio2o("describe", "pod", "Pod2", "-o", "json")

    row = ["1", "Pod2", "POST", "/flavors", "waiting", "0", "no", "answer"]
    assert table.stdout.splitlines()[1].split() == row
    assert "compute/flavor/1" in wide.stdout
    assert json.loads(other.stdout) == {"pending": []}
    assert unknown.exit_code == 1
    shown = json.loads(pod.stdout)
    assert (shown["ready"], shown["pending"], shown["number"]) == (False, 1, 2)


async def test_a_write_under_way_is_shown_as_such_and_keeps_no_pod_from_being_ready(
    trio2o: Run, stand_in: StandIn
) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    intent = Intent("Pod2", "compute/flavor/1", "compute", "POST", "/flavors", doing=True)
    await stand_in.store.begin([intent], 60)

    table = await trio2o("get", "pending")
    pod = await trio2o("describe", "pod", "Pod2", "-o", "json")

    assert table.stdout.splitlines()[1].split()[4] == "doing"
    assert json.loads(pod.stdout)["pending"] == 0


async def test_what_get_writes_can_be_applied(trio2o: Run) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    _write((await trio2o("get", "pods", "-o", "yaml")).stdout)

    result = await trio2o("apply", "-f", "pods.yaml")

    assert result.stdout == "pod Pod1 unchanged\npod Pod2 unchanged\n"


async def test_bindings_and_zones_are_shown(trio2o: Run, stand_in: StandIn) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    pod = await stand_in.administration.pod("Pod1")
    await stand_in.administration.create_binding("project", pod)

    bindings = await trio2o("get", "bindings")
    wide = await trio2o("get", "bindings", "-o", "wide")
    zones = await trio2o("get", "zones")
    as_json = await trio2o("get", "zones", "-o", "json")

    assert bindings.stdout.splitlines()[1].split() == ["project", "az1", "Pod1"]
    assert len(wide.stdout.splitlines()[1].split()) == 5
    assert zones.stdout.splitlines()[1].split() == ["az1", "yes", "Pod1"]
    assert json.loads(as_json.stdout)["zones"][0]["pods"] == ["Pod1"]


async def test_a_pod_is_described(trio2o: Run, stand_in: StandIn) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    pod = await stand_in.administration.pod("Pod1")
    await stand_in.administration.create_binding("project", pod)
    await stand_in.store.record([Owner("1", "server", "Pod1")])

    found = yaml.safe_load((await trio2o("describe", "pod", "Pod1")).stdout)

    assert (found["name"], found["id"], found["resources"]) == ("Pod1", pod.id, 1)
    assert found["bound_projects"] == ["project"]


async def test_a_pod_is_cordoned_and_uncordoned(trio2o: Run, stand_in: StandIn) -> None:
    await trio2o("apply", "-f", "pods.yaml")

    cordoned = await trio2o("cordon", "Pod1")
    state = (await stand_in.administration.pod("Pod1")).state
    await trio2o("uncordon", "Pod1")

    assert cordoned.stdout == "pod Pod1 cordoned\n"
    assert state is PodState.CORDONED
    assert (await stand_in.administration.pod("Pod1")).state is PodState.ENABLED


async def test_a_pod_that_owns_resources_is_deleted_only_by_force(
    trio2o: Run, stand_in: StandIn
) -> None:
    await trio2o("apply", "-f", "pods.yaml")
    await stand_in.store.record([Owner("1", "server", "Pod1")])

    refused = await trio2o("delete", "pod", "Pod1")
    forced = await trio2o("delete", "pod", "Pod1", "--force")

    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: pod Pod1 still owns 1 resources\n",
    )
    assert (forced.exit_code, forced.stdout) == (0, "pod Pod1 deleted\n")


async def test_an_id_is_located(trio2o: Run) -> None:
    table = await trio2o("locate", "server-1")
    document = await trio2o("locate", "server-1", "-o", "json")
    nowhere = await trio2o("locate", "nowhere")

    assert table.stdout.splitlines()[1].split() == [
        "server-1",
        "server",
        "Pod1",
        "az1",
        "project",
        "database",
    ]
    assert json.loads(document.stdout)["pod"] == "Pod1"
    assert (nowhere.exit_code, nowhere.stderr) == (
        1,
        "Error: no pod is known to own nowhere\n",
    )


async def test_the_state_of_every_envoy_is_shown(trio2o: Run, stand_in: StandIn) -> None:
    stand_in.nodes = [node(SyncState.NACK, "no such\nfilter")]

    table = await trio2o("proxy-status")
    document = await trio2o("proxy-status", "-o", "json")

    assert table.stdout.splitlines()[1].split()[:3] == ["gateway-1", "Cluster", "NACK"]
    assert table.stdout.splitlines()[1].endswith("no such filter")
    assert json.loads(document.stdout)["proxies"][0]["variant"] == "delta"


async def test_who_is_no_administrator_is_told(
    trio2o: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_TOKEN", MEMBER)

    result = await trio2o("get", "pods")

    assert (result.exit_code, result.stderr) == (1, "Error: The admin role is required.\n")


async def test_a_control_plane_that_is_not_there_is_one_line(
    trio2o: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIO2O_SERVER", "127.0.0.1:1")

    result = await trio2o("get", "pods")

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: no control plane answers at 127.0.0.1:1\n",
    )


async def test_a_keystone_that_is_not_there_is_one_line(
    trio2o: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OS_TOKEN")
    for name, value in {"AUTH_URL": "http://127.0.0.1:1/v3", "USERNAME": "a"}.items():
        monkeypatch.setenv(f"OS_{name}", value)
    monkeypatch.setenv("OS_PASSWORD", "hunter2")

    result = await trio2o("get", "pods")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no token from http://127.0.0.1:1/v3: ")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr


async def test_an_environment_without_a_password_is_one_line(
    trio2o: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OS_TOKEN")
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:1/v3")

    result = await trio2o("get", "pods")

    assert (result.exit_code, result.stderr) == (1, "Error: OS_PASSWORD is not set\n")


def test_a_keystone_whose_root_is_not_there_is_no_second_line(tmp_path: Path) -> None:
    environment = {"OS_AUTH_URL": "http://127.0.0.1:1/v3", "OS_USERNAME": "a", "OS_PASSWORD": "b"}
    script = "from control_plane.commands import main; main(['get', 'pods'])"

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


async def test_a_server_nobody_knows_is_one_line(trio2o: Run) -> None:
    result = await trio2o("get", "pods", "--server", "nowhere.invalid:18000")

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: no control plane answers at nowhere.invalid:18000\n",
    )


async def test_a_time_that_is_no_number_does_not_wait_for_ever(
    trio2o: Run, stand_in: StandIn
) -> None:
    stand_in.nodes = [node(SyncState.STALE)]

    result = await trio2o("apply", "-f", "pods.yaml", "--wait", "--timeout", "nan")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
