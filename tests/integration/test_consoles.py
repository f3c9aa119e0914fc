"""Consoles through the gateway: what a pod gives for its server, and whose the token is."""

import re
from urllib.parse import unquote

import pytest

from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

#: Type and protocol of the consoles that the bed's hypervisor has.
CONSOLES = {"novnc": "vnc", "spice-html5": "spice", "serial": "serial", "webmks": "mks"}
#: The actions of before 2.6, and the type each is for.
ACTIONS = {
    "os-getVNCConsole": "novnc",
    "os-getSPICEConsole": "spice-html5",
    "os-getSerialConsole": "serial",
}


@pytest.fixture(scope="module")
def server(tenant: Tenant, zones: tuple[str, str]) -> str:
    """A server in the second pod."""
    server = tenant.cloud.create_server("seen", zones[1])
    tenant.cloud.wait_for_server(server)
    return server


@pytest.mark.parametrize("kind", CONSOLES)
def test_a_token_given_for_a_server_says_where_its_console_is(
    tenant: Tenant, server: str, kind: str
) -> None:
    body = {"remote_console": {"protocol": CONSOLES[kind], "type": kind}}

    given = tenant.cloud.post("compute", f"/servers/{server}/remote-consoles", body)

    assert given.status == 200, given.text
    token = _token(given.json["remote_console"]["url"])
    path = f"/os-console-auth-tokens/{token}"
    told = tenant.admin.read("compute", path, version="2.99")["console"]
    assert told["instance_uuid"] == server
    assert tenant.cloud.get("compute", path, version="2.99").status == 403


@pytest.mark.parametrize("action", ACTIONS)
def test_the_older_actions_give_a_console_until_2_5(
    tenant: Tenant, server: str, action: str
) -> None:
    path, body = f"/servers/{server}/action", {action: {"type": ACTIONS[action]}}

    given = tenant.cloud.post("compute", path, body, version="2.5")
    later = tenant.cloud.post("compute", path, body, version="2.6")

    assert (given.status, later.status) == (200, 404)
    assert _token(given.json["console"]["url"])


def test_a_console_that_nova_gave_up_is_refused_as_in_the_pod(
    tenant: Tenant, zones: tuple[str, str], server: str
) -> None:
    path, body = f"/servers/{server}/action", {"os-getRDPConsole": {"type": "rdp-html5"}}

    for version in ("2.1", "2.6"):
        answer = tenant.cloud.post("compute", path, body, version=version)
        inside = tenant.direct[zones[1]].post("compute", path, body, version=version)
        assert (answer.status, answer.json) == (inside.status, inside.json)


def _token(url: str) -> str:
    # The proxy of VNC is given it within a path, which is quoted.
    [token] = re.findall(r"token=([0-9a-f-]{36})$", unquote(url))
    return str(token)
