"""Host names with a pod before them."""

import pytest

from control_plane.model.fleet import Fleet
from control_plane.model.host import parse_host, shown_host
from control_plane.model.pod import Pod

POD = Pod("1", "Pod1", "az1")
FLEET = Fleet.of([POD])


@pytest.mark.parametrize("host", ["compute1", "host@backend#pool", "odd~name"])
def test_a_shown_name_is_read_back(host: str) -> None:
    assert parse_host(FLEET, shown_host("Pod1", host)) == (POD, host)


@pytest.mark.parametrize("name", ["compute1", "Pod9~compute1", "odd~name", "", "Pod1"])
def test_a_name_without_a_pod_stays_as_it_is(name: str) -> None:
    assert parse_host(FLEET, name) == (None, name)


def test_no_host_stays_no_host() -> None:
    assert shown_host("Pod1", "") == ""
