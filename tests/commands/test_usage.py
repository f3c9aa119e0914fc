"""What the command says without a control plane: help, wrong usage, files that are wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from control_plane.commands import main

IDENTITY = """
identity: {auth_url: "http://keystone:5000/v3", username: trio2o, password: hunter2}
"""
PODS = """
name: Pod1
availability_zone: az1
---
name: Pod2
availability_zone: az2
"""


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TRIO2O_CONFIG", "TRIO2O_SERVER", "OS_TOKEN", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def test_help_waits_for_no_library() -> None:
    script = (
        "import sys; from control_plane.commands import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print({'grpc', 'sqlalchemy', 'pydantic'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout.endswith("set()\n")
    assert "proxy-status" in done.stdout


def test_every_command_has_help(runner: CliRunner) -> None:
    listed = runner.invoke(main, ["--help"]).output.partition("Commands:\n")[2].splitlines()

    for name in [line.split()[0] for line in listed]:
        result = runner.invoke(main, [name, "--help"])

        assert result.exit_code == 0, result.output
    assert len(listed) == 14


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["get", "nothing"],
        ["get", "pods", "-o", "xml"],
        ["apply"],
        ["locate"],
        ["delete", "pod"],
        ["validate"],
        ["up", "--nothing"],
        ["get", "pods", "--server", "nowhere"],
    ],
)
def test_wrong_usage_is_status_2(runner: CliRunner, arguments: list[str]) -> None:
    Path("trio2o.yaml").write_text(IDENTITY)

    result = runner.invoke(main, arguments)

    assert result.exit_code == 2
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("command", ["up", "serve", "bootstrap"])
def test_settings_that_are_wrong_are_one_line(runner: CliRunner, command: str) -> None:
    Path("trio2o.yaml").write_text(f"{IDENTITY}\nlisten: nowhere\n")

    result = runner.invoke(main, [command])

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: trio2o.yaml: listen: not an address of the form host:port: 'nowhere'\n"
    )


def test_settings_are_found_where_they_are_named(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(f"{IDENTITY}\nxds: {{listen: '10.0.0.9:18000'}}\n")
    monkeypatch.setenv("TRIO2O_CONFIG", str(elsewhere))

    by_environment = runner.invoke(main, ["bootstrap"])
    Path("trio2o.yaml").write_text(IDENTITY)
    by_default = runner.invoke(main, ["bootstrap", "--node-id", "a"])
    by_option = runner.invoke(main, ["bootstrap", "-f", str(elsewhere)])

    assert "10.0.0.9" in by_environment.stdout
    assert "10.0.0.9" not in by_default.stdout
    assert "10.0.0.9" in by_option.stdout
    assert json.loads(by_default.stdout)["node"]["id"] == "a"
    assert "hunter2" not in by_option.stdout


def test_an_envoy_elsewhere_is_not_sent_to_sockets_of_this_machine(runner: CliRunner) -> None:
    Path("trio2o.yaml").write_text(IDENTITY)
    elsewhere = ["bootstrap", "--xds", "10.0.0.9:18000"]

    refused = runner.invoke(main, elsewhere)
    here = runner.invoke(main, ["bootstrap", "--xds", "127.0.0.1:18000"])
    Path("trio2o.yaml").write_text(f"{IDENTITY}\nenvoy: {{egress: '10.0.0.8:15001'}}\n")
    by_port = runner.invoke(main, elsewhere)

    assert refused.exit_code == 1
    assert refused.stderr.endswith(
        "set envoy.egress, processor.listen and processor.words to host:port\n"
    )
    assert "-words.sock.0" in here.stdout
    assert '"port_value": 18101' in by_port.stdout
    # The administration port of that Envoy itself.
    assert by_port.stdout.count("127.0.0.1") == 1


def test_an_envoy_elsewhere_has_the_module_where_it_is_said_to_be(runner: CliRunner) -> None:
    Path("trio2o.yaml").write_text(IDENTITY)

    by_default = runner.invoke(main, ["bootstrap"])
    told = runner.invoke(main, ["bootstrap", "--module", "/opt/libtrio2o_known_ids.so"])
    refused = runner.invoke(main, ["bootstrap", "--module", "libtrio2o_known_ids.so"])

    assert "metadata" not in json.loads(by_default.stdout)["node"]
    assert json.loads(told.stdout)["node"]["metadata"] == {
        "trio2o.known_ids": "/opt/libtrio2o_known_ids.so"
    }
    assert refused.exit_code == 2
    assert "--module: libtrio2o_known_ids.so: give the whole path" in refused.stderr


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_in_use_is_named(runner: CliRunner, command: str) -> None:
    Path("trio2o.yaml").write_text(
        f"{IDENTITY}\nxds: {{listen: '127.0.0.1:41999'}}\nadmin: {{listen: '127.0.0.1:41999'}}\n"
        "listen: 127.0.0.1:0\nenvoy: {admin: '127.0.0.1:0'}\nmetrics: {listen: '127.0.0.1:0'}\n"
        "processor: {listen: '127.0.0.1:42001', words: '127.0.0.1:42101'}\n"
    )

    result = runner.invoke(main, [command])

    assert result.exit_code == 1
    assert result.stderr == "Error: 127.0.0.1:41999 (admin.listen) is already in use\n"


def test_the_database_is_upgraded(runner: CliRunner) -> None:
    Path("trio2o.yaml").write_text(IDENTITY)

    first = runner.invoke(main, ["db", "upgrade"])
    second = runner.invoke(main, ["db", "upgrade"])

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert Path("trio2o.db").exists()


@pytest.mark.parametrize(
    "content",
    [
        PODS,
        "[{name: Pod1, availability_zone: az1}, {name: Pod2, availability_zone: az2}]",
        '{"pods": [{name: A, availability_zone: b}, {name: B, availability_zone: b}]}',
    ],
)
def test_pods_are_validated_in_every_form(runner: CliRunner, content: str) -> None:
    Path("pods.yaml").write_text(content)

    result = runner.invoke(main, ["validate", "-f", "pods.yaml"])

    assert (result.exit_code, result.stdout) == (0, "pods.yaml: 2 pods are valid\n")


def test_pods_are_read_from_standard_input(runner: CliRunner) -> None:
    assert runner.invoke(main, ["validate", "-f", "-"], input=PODS).exit_code == 0


def test_settings_are_validated_with_their_pods(runner: CliRunner) -> None:
    Path("a.yaml").write_text(f"{IDENTITY}\npods: [{{name: Pod1, availability_zone: az1}}]\n")
    Path("b.yaml").write_text(f"{IDENTITY}\npods: [{{name: Pod1}}]\n")
    Path("c.yaml").write_text(f"{IDENTITY}\ndatabase: oracle://host/trio2o\n")
    pod = "{name: Pod1, availability_zone: az1}"
    Path("d.yaml").write_text(f"{IDENTITY}\npods: [{pod}, {pod}]\n")
    Path("e.yaml").write_text(f"{IDENTITY}\ndatabase: postgresql://u:hunter2@h:port/trio2o\n")

    valid = runner.invoke(main, ["validate", "-f", "a.yaml"])
    wrong_pod = runner.invoke(main, ["validate", "-f", "b.yaml"])
    wrong_database = runner.invoke(main, ["validate", "-f", "c.yaml"])
    doubled_pod = runner.invoke(main, ["validate", "-f", "d.yaml"])
    wrong_port = runner.invoke(main, ["validate", "-f", "e.yaml"])

    assert valid.stdout == "a.yaml: settings are valid, 1 pods\n"
    assert wrong_pod.stderr == (
        "Error: b.yaml: pods: pod Pod1: availability_zone must not be empty\n"
    )
    assert wrong_database.stderr == (
        "Error: c.yaml: database: oracle is none of sqlite, postgresql and mysql\n"
    )
    assert doubled_pod.stderr == "Error: d.yaml: pods: pod Pod1 is given more than once\n"
    assert wrong_port.stderr.startswith("Error: e.yaml: database: not a URL")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("name: Pod1", "pod Pod1: availability_zone must not be empty"),
        ("name: [", "not YAML"),
        ("pods: []", "holds no pod"),
        (PODS.replace("Pod2", "Pod1"), "pod Pod1 is given more than once"),
        ("[{name: Pod1, availability_zone: az1, wieght: 1}]", "wieght is no field of a pod"),
        ("[a]", "a pod is a mapping of keys to values"),
        (PODS.replace("---", ""), "the key name is given twice"),
        ("name: 2026-99-99", "not YAML: month must be in 1..12"),
    ],
)
def test_pods_that_are_wrong_are_one_line(runner: CliRunner, content: str, fault: str) -> None:
    Path("pods.yaml").write_text(content)

    for command in ("validate", "apply"):
        result = runner.invoke(main, [command, "-f", "pods.yaml"])

        assert result.exit_code == 1
        assert fault in result.stderr
        assert result.stderr.startswith("Error: pods.yaml: ")
        assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(runner: CliRunner) -> None:
    result = runner.invoke(main, ["apply", "-f", "pods.yaml"])

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: pods.yaml: No such file or directory\n",
    )


def test_operations_are_listed_and_counted(runner: CliRunner) -> None:
    table = runner.invoke(main, ["operations"])
    document = json.loads(runner.invoke(main, ["operations", "-o", "json"]).stdout)
    missing = json.loads(runner.invoke(main, ["operations", "--missing", "-o", "json"]).stdout)

    assert "/servers/{server}" in table.stdout
    assert table.stdout.splitlines()[-1].startswith("all ")
    assert {"service", "methods", "path", "class", "handler", "handled"} == set(
        document["operations"][0]
    )
    counted = sum(len(row["methods"]) for row in document["operations"])
    assert counted == sum(count["endpoints"] for count in document["summary"].values())
    assert not any(row["handled"] for row in missing["operations"])
    assert missing["summary"] == document["summary"]
