"""Settings: the file, the environment before it, and one line for what is wrong."""

from pathlib import Path

import pytest

from control_plane.app import gateway_options
from control_plane.model.address import Address
from control_plane.model.errors import StartupError
from control_plane.settings import load

IDENTITY = """
identity: {auth_url: "http://keystone:5000/v3/", username: trio2o, password: hunter2}
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trio2o.yaml"
    path.write_text(IDENTITY)
    return path


def test_everything_but_identity_has_a_default(file: Path) -> None:
    settings = load(file)

    assert settings.region == "RegionOne"
    assert str(settings.listen) == "0.0.0.0:8080"
    assert settings.identity.auth_url == "http://keystone:5000/v3"
    assert settings.identity.project_name == "service"
    assert settings.database == "sqlite:///trio2o.db"
    assert str(settings.admin.listen) == "127.0.0.1:19996"
    assert str(settings.xds.listen) == "127.0.0.1:18000"
    assert str(settings.metrics.listen) == "127.0.0.1:9091"
    assert str(settings.envoy.admin) == "127.0.0.1:9901"
    assert settings.envoy.concurrency == 0
    assert (settings.timeouts.pod, settings.timeouts.list, settings.timeouts.keystone) == (
        60,
        30,
        10,
    )
    assert (settings.log.level, settings.log.format) == ("info", "json")
    assert settings.pods == []


@pytest.mark.parametrize(
    ("added", "listen", "words"),
    [
        (
            "envoy: {egress: 'unix:/run/t/a.sock'}",
            "unix:/run/t/a-processor.sock",
            "unix:/run/t/a-words.sock",
        ),
        ("processor: {listen: 'unix:/run/t/p', words: 'unix:/w'}", "unix:/run/t/p", "unix:/w"),
    ],
)
def test_each_worker_listens_at_a_socket_of_its_own(
    file: Path, monkeypatch: pytest.MonkeyPatch, added: str, listen: str, words: str
) -> None:
    monkeypatch.setenv("TRIO2O_PROCESSOR__WORKERS", "2")
    file.write_text(f"{IDENTITY}\n{added}\n")

    settings = load(file)

    assert list(map(str, settings.processors)) == [f"{listen}.0", f"{listen}.1"]
    assert list(map(str, settings.words)) == [f"{words}.0", f"{words}.1"]


def test_where_pods_are_asked_through_a_port_each_worker_has_a_port_of_its_own(file: Path) -> None:
    egress = "envoy: {egress: '10.0.0.1:15001'}"
    file.write_text(f"{IDENTITY}\n{egress}\nprocessor: {{words: '127.0.0.1:7100', workers: 3}}\n")

    settings = load(file)

    local = [f"127.0.0.1:{port}" for port in (18001, 18002, 18003, 7100, 7101, 7102)]
    assert list(map(str, (*settings.processors, *settings.words))) == local


def test_workers_need_room_for_their_names_beside_the_egress_socket(file: Path) -> None:
    file.write_text(f"{IDENTITY}\nenvoy: {{egress: 'unix:/{'a' * 100}'}}\n")

    with pytest.raises(
        StartupError,
        match=r"yaml: processor.listen, processor.words: not an absolute path of at most 107",
    ):
        load(file)


def test_there_is_a_worker_for_every_two_cores(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(IDENTITY)
    found = {}
    for cores in (1, 2, 3, 8):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        found[cores] = len(load(file).processors)

    assert found == {1: 1, 2: 1, 3: 1, 8: 4}


def test_a_file_sets_keys(file: Path) -> None:
    file.write_text(f"{IDENTITY}\nlisten: '[::]:80'\npods: [{{name: Pod1, labels: {{a: b}}}}]\n")

    settings = load(file)

    assert settings.listen == Address("::", 80)
    assert settings.pods == [{"name": "Pod1", "labels": {"a": "b"}}]


def test_the_environment_comes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO2O_IDENTITY__PASSWORD", "other")
    monkeypatch.setenv("TRIO2O_LISTEN", "127.0.0.1:81")
    monkeypatch.setenv("TRIO2O_XDS__LISTEN", "[::1]:82")
    monkeypatch.setenv("TRIO2O_ENVOY__CONCURRENCY", "2")
    monkeypatch.setenv("TRIO2O_PODS", '[{"name": "Pod1"}]')
    file.write_text(f"{IDENTITY}\nlisten: 127.0.0.1:80\n")

    settings = load(file)

    assert settings.identity.password.get_secret_value() == "other"
    assert settings.identity.username == "trio2o"
    assert settings.listen.port == 81
    assert settings.xds.listen == Address("::1", 82)
    assert settings.envoy.concurrency == 2
    assert settings.pods == [{"name": "Pod1"}]


def test_the_environment_alone_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO2O_IDENTITY__AUTH_URL", "http://keystone:5000/v3")
    monkeypatch.setenv("TRIO2O_IDENTITY__USERNAME", "trio2o")
    monkeypatch.setenv("TRIO2O_IDENTITY__PASSWORD", "hunter2")

    assert load(None).identity.username == "trio2o"


def test_the_password_is_shown_nowhere(file: Path) -> None:
    assert "hunter2" not in repr(load(file))


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("listen: 8080", "listen: "),
        ("listen: localhost", "listen: not an address of the form host:port: 'localhost'"),
        ("xds: {listen: 'a:99999'}", "xds.listen: no port is higher than 65535: 'a:99999'"),
        ("xds: {port: 1}", "xds.port: is no key of trio2o.yaml"),
        ("regoin: x", "regoin: is no key of trio2o.yaml"),
        ("envoy: {concurrency: -1}", "envoy.concurrency: "),
        ("envoy: {egress: 'unix:egress.sock'}", "envoy.egress: not an absolute path"),
        ("timeouts: {pod: 0}", "timeouts.pod: "),
        ("log: {level: loud}", "log.level: "),
        ("- a\n- b", "not YAML"),
        ("identity: hunter2", "identity: "),
        ("identity: {username: x, password: hunter2, auth_url: ftp://x}", "identity.auth_url: "),
        ("identity: {password: [hunter2]}", "identity.auth_url: is required"),
    ],
)
def test_a_wrong_key_is_named_in_one_line(file: Path, added: str, fault: str) -> None:
    file.write_text(f"{'' if 'identity' in added else IDENTITY}\n{added}\n")

    with pytest.raises(StartupError) as caught:
        load(file)

    text = str(caught.value)
    assert text.startswith(f"{file}: ")
    assert fault in text
    assert "\n" not in text
    assert "hunter2" not in text


def test_wrong_json_in_the_environment_is_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIO2O_PODS", "[")

    with pytest.raises(StartupError, match="pods"):
        load(file)


def test_tls_is_off_until_a_certificate_is_named(file: Path) -> None:
    assert not load(file).tls.enabled

    file.write_text(f"{IDENTITY}\ntls: {{certificate: /a.pem, key: /b.pem}}")

    assert load(file).tls.enabled


@pytest.mark.parametrize("half", ["certificate: /a.pem", "key: /b.pem"])
def test_a_certificate_without_its_key_is_refused(file: Path, half: str) -> None:
    file.write_text(f"{IDENTITY}\ntls: {{{half}}}")

    with pytest.raises(StartupError, match="tls: certificate and key are given together"):
        load(file)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        load(tmp_path / "trio2o.yaml")


def test_the_egress_socket_is_this_users_and_this_gateways(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = str(load(file).egress)
    monkeypatch.setenv("TRIO2O_LISTEN", "0.0.0.0:8081")
    other = str(load(file).egress)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/0")
    in_runtime = str(load(file).egress)

    assert one != other
    assert one.startswith("unix:/tmp/trio2o-")
    assert in_runtime.startswith("unix:/run/user/0/trio2o-")
    assert len(one.removeprefix("unix:")) < 108


def test_the_egress_listener_can_be_chosen(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO2O_ENVOY__EGRESS", "127.0.0.1:15001")

    assert load(file).egress == Address("127.0.0.1", 15001)


def test_a_section_whose_keys_are_commented_out_is_the_default(file: Path) -> None:
    file.write_text(f"{IDENTITY}\nlog:\n  # level: debug\npods:\n")

    settings = load(file)

    assert (settings.log.level, settings.pods) == ("info", [])


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("region: A\nregion: B", "the key region is given twice"),
        ("log: {level: info, level: debug}", "the key level is given twice"),
        ("region: 2026-99-99", "not YAML: month must be in 1..12"),
        ("timeouts: {pod: .inf}", "timeouts.pod: "),
        ("timeouts: {list: 1.0e+15}", "timeouts.list: "),
        (f"listen: {'a' * 64}:80", "listen: not the name of a host"),
    ],
)
def test_what_would_be_taken_otherwise_than_meant_is_refused(
    file: Path, added: str, fault: str
) -> None:
    file.write_text(f"{IDENTITY}\n{added}\n")

    with pytest.raises(StartupError) as caught:
        load(file)

    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_keys_may_be_merged_from_an_anchor(file: Path) -> None:
    file.write_text(
        f"{IDENTITY}\npods:\n- &a {{name: Pod1, weight: 5}}\n- &b {{<<: *a, name: Pod2}}\n"
        "- {<<: *b, name: Pod3}\n"
    )

    assert [pod["name"] for pod in load(file).pods] == ["Pod1", "Pod2", "Pod3"]


def test_what_is_said_of_envoys_surroundings_reaches_its_resources(file: Path) -> None:
    file.write_text(f"{IDENTITY}\nenvoy: {{trusted_hops: 1, ca_file: /etc/pki/ca.pem}}\n")

    options = gateway_options(load(file))

    assert (options.trusted_hops, options.ca_file) == (1, "/etc/pki/ca.pem")
