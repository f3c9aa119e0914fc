"""What suites are told: the right region, and versions that do not move."""

import re
from pathlib import Path

import pytest

from tests.openstack.installation import CONSTRAINTS
from tests.openstack.settings import Settings
from tests.openstack.suites import run, surroundings
from tests.openstack.suites.suite import SUITES, TOOLS
from tests.openstack.tempest.comparison import read_known

_SETTINGS = Settings.load({"TRIO2O_PODS_BASE": "/bed"})


@pytest.mark.parametrize("name", SUITES)
def test_every_version_is_pinned(name: str) -> None:
    pinned = {line.partition("==")[0] for line in CONSTRAINTS.read_text().splitlines()}

    assert SUITES[name].distribution in pinned
    assert all("==" in tool for tool in TOOLS)


def test_each_cloud_is_in_the_region_that_is_asked_for() -> None:
    text = surroundings.clouds(_SETTINGS, "Pod1")

    assert set(re.findall(r"region_name: (\S+)", text)) == {"Pod1"}
    for name in ("devstack", "devstack-alt", "devstack-admin", "functional_admin"):
        assert f"\n  {name}:\n" in text


def test_a_scope_of_the_system_names_no_domain_of_a_project() -> None:
    text = surroundings.clouds(_SETTINGS, "Pod1")

    [system] = [part for part in re.split(r"\n  (?=\S)", text) if "system_scope" in part]
    assert "project_domain" not in system


@pytest.mark.parametrize("change", [{"regex": "other"}, {"suite": SUITES["cinder"]}])
def test_another_plan_is_another_straight_run(change: dict[str, object]) -> None:
    plan = {"settings": _SETTINGS, "suite": SUITES["nova"], **change}

    one, other = run.Run(_SETTINGS, SUITES["nova"]), run.Run(**plan)  # type: ignore[arg-type]

    assert (one.results, one.facts("Pod1")) != (other.results, other.facts("Pod1"))


def test_how_fast_it_runs_makes_no_other_run() -> None:
    slow = run.Run(_SETTINGS, SUITES["nova"], concurrency=1)

    assert slow.facts("Pod1") == run.Run(_SETTINGS, SUITES["nova"]).facts("Pod1")


def test_commands_of_the_clients_come_from_the_suites_environment() -> None:
    suite = run.Run(_SETTINGS, SUITES["nova"])

    told = suite.variables("RegionOne")

    assert told["OS_NOVACLIENT_EXEC_DIR"] == f"{suite.venv}/bin"
    assert told["OS_REGION_NAME"] == "RegionOne"


def test_what_is_known_has_a_reason() -> None:
    known = read_known(Path(surroundings.__file__).with_name("known.txt"))

    assert all(name.startswith("open") or "client." in name for name in known)
