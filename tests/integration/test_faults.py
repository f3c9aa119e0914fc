"""What is wrong is said in the service's own form; a lost pod takes nothing else with it."""

from collections.abc import Iterator

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.gateway import Gateway
from tests.integration.relay import Relay
from tests.integration.tenant import Tenant
from tests.openstack.client import send
from tests.openstack.pod import Pod

pytestmark = pytest.mark.openstack

NOBODY = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture(scope="module")
def servers(tenant: Tenant, zones: tuple[str, str]) -> dict[str, str]:
    """One server a zone."""
    made = {zone: tenant.cloud.create_server(f"witness-{zone}", zone) for zone in zones}
    for server in made.values():
        tenant.cloud.wait_for_server(server)
    return made


@pytest.fixture
def lost(relay: Relay, tenant: Tenant, servers: dict[str, str]) -> Iterator[None]:
    """The second pod's Nova cannot be reached; afterwards it can again."""
    assert servers
    relay.cut()
    yield
    relay.mend()
    until("both pods", lambda: _missing(tenant.cloud), lambda missing: missing is None)


@pytest.mark.parametrize(
    ("service", "path"),
    [("compute", "/servers"), ("volume", "/volumes"), ("image", "/images"), ("network", "/ports")],
)
@pytest.mark.parametrize("token", ["made-up", ""])
def test_a_bad_token_is_401_and_told_where_keystone_is(
    tenant: Tenant, service: str, path: str, token: str
) -> None:
    headers = {"X-Auth-Token": token} if token else {}

    answer = send("GET", tenant.cloud.url(service, path), headers=headers)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


@pytest.mark.parametrize(("service", "path"), [("compute", "/servers"), ("volume", "/volumes")])
def test_a_body_that_is_not_json_is_400(tenant: Tenant, service: str, path: str) -> None:
    answer = tenant.cloud.post(
        service, path, b"{not json", headers={"Content-Type": "application/json"}
    )

    assert answer.status == 400
    assert answer.json["badRequest"]["code"] == 400


@pytest.mark.parametrize(
    ("service", "path"),
    [("compute", f"/servers/{NOBODY}"), ("volume", f"/volumes/{NOBODY}")],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_404(tenant: Tenant, service: str, path: str, method: str) -> None:
    answer = tenant.cloud.call(method, service, path)

    assert answer.status == 404
    fault = answer.json["itemNotFound"]
    assert fault["code"] == 404
    assert NOBODY in fault["message"]


def test_an_unknown_zone_of_a_server_is_400(tenant: Tenant) -> None:
    body = {
        "name": "lost",
        "flavorRef": "42",
        "imageRef": NOBODY,
        "networks": "auto",
        "availability_zone": "mars",
    }

    answer = tenant.cloud.post("compute", "/servers", {"server": body})

    assert answer.status == 400
    assert answer.json["badRequest"]["code"] == 400
    assert "zone" in answer.json["badRequest"]["message"]


def test_an_unknown_zone_of_a_volume_is_400(tenant: Tenant) -> None:
    body = {"name": "lost", "size": 1, "availability_zone": "mars"}

    answer = tenant.cloud.post("volume", "/volumes", {"volume": body})

    assert answer.status == 400
    assert answer.json["badRequest"]["code"] == 400
    assert "mars" in answer.json["badRequest"]["message"]


def test_a_pods_own_refusal_is_passed_on(tenant: Tenant, zones: tuple[str, str]) -> None:
    body = {"name": "x", "flavorRef": "nothing", "networks": "auto", "availability_zone": zones[1]}

    answer = tenant.cloud.post("compute", "/servers", {"server": body})

    direct = tenant.direct[zones[1]].post(
        "compute", "/servers", {"server": {key: body[key] for key in body.keys() - _ZONE}}
    )
    assert (answer.status, answer.json) == (direct.status, direct.json)


@pytest.mark.parametrize(
    ("service", "path", "version"),
    [("compute", "/servers", "2.999"), ("volume", "/volumes", "3.999")],
)
def test_a_microversion_out_of_range_is_406(
    tenant: Tenant, service: str, path: str, version: str
) -> None:
    answer = tenant.cloud.get(service, path, version=version)

    assert answer.status == 406


@pytest.mark.parametrize(("service", "path"), [("compute", "/servers"), ("volume", "/volumes")])
def test_a_microversion_that_is_none_is_400(tenant: Tenant, service: str, path: str) -> None:
    answer = tenant.cloud.get(service, path, version="two")

    assert answer.status == 400


@pytest.mark.parametrize(("service", "path"), [("compute", "/servers"), ("volume", "/volumes")])
def test_latest_becomes_a_number(
    tenant: Tenant, zones: tuple[str, str], service: str, path: str
) -> None:
    answer = tenant.cloud.get(service, path, version="latest")

    direct = tenant.direct[zones[0]].get(service, path, version="latest")
    assert answer.status == 200
    name, _, number = answer.headers["OpenStack-API-Version"].partition(" ")
    assert name == service
    assert number.replace(".", "").isdigit()
    assert answer.headers["OpenStack-API-Version"] == direct.headers["OpenStack-API-Version"]


def test_another_projects_server_is_404(
    tenant: Tenant, servers: dict[str, str], zones: tuple[str, str], new_tenant: object
) -> None:
    assert callable(new_tenant)
    stranger = new_tenant()

    answer = stranger.cloud.get("compute", f"/servers/{servers[zones[1]]}")

    assert answer.status == 404


@pytest.mark.usefixtures("lost")
def test_a_list_without_a_lost_pod_has_the_other_pods_servers(
    tenant: Tenant, servers: dict[str, str], zones: tuple[str, str]
) -> None:
    answer = tenant.cloud.get("compute", "/servers", version="2.68")

    assert answer.status == 200
    assert [item["id"] for item in answer.json["servers"]] == [servers[zones[0]]]
    assert answer.headers["x-trio2o-missing"] == zones[1]


@pytest.mark.usefixtures("lost")
def test_from_2_69_on_servers_of_a_lost_pod_are_listed_as_unknown(
    tenant: Tenant, servers: dict[str, str], zones: tuple[str, str]
) -> None:
    answer = tenant.cloud.get("compute", "/servers/detail", version="2.69")
    filtered = tenant.cloud.read("compute", "/servers?name=witness", version="2.69")

    gone, here = answer.json["servers"]
    assert (gone["id"], gone["status"]) == (servers[zones[1]], "UNKNOWN")
    assert set(gone) == {"id", "status", "tenant_id", "created", "links"}
    assert here["id"] == servers[zones[0]]
    assert answer.headers["x-trio2o-missing"] == zones[1]
    assert [item["id"] for item in filtered["servers"]] == [servers[zones[0]]]


def test_from_2_69_on_computes_of_a_lost_pod_are_listed_as_unknown(
    tenant: Tenant, relay: Relay, lost: None, pods: list[Pod]
) -> None:
    relay.mend()
    before = until(
        "all computes", lambda: _computes(tenant.admin), lambda found: len(found) >= 2 * len(pods)
    )

    def lose() -> dict[str, str]:
        relay.mend()
        until("all computes", lambda: _computes(tenant.admin), lambda found: found == before)
        relay.cut()
        return _computes(tenant.admin)

    # A gateway that has just started may not have asked the pod yet.
    after = until("the computes", lose, lambda found: found.keys() == before.keys())

    assert {host for host, status in after.items() if status == "UNKNOWN"} == {
        host for host in before if host.startswith(f"{pods[1].name}~")
    }


@pytest.mark.usefixtures("lost")
def test_from_2_69_on_a_server_of_a_lost_pod_is_shown_as_unknown(
    tenant: Tenant, servers: dict[str, str], zones: tuple[str, str]
) -> None:
    path = f"/servers/{servers[zones[1]]}"

    answer = until(
        "the pod known to be lost",
        lambda: tenant.cloud.get("compute", path, version="2.69"),
        lambda answer: answer.status == 200,
    )

    server = answer.json["server"]
    assert server["status"] == "UNKNOWN"
    assert server["OS-EXT-AZ:availability_zone"] == zones[1]


@pytest.mark.usefixtures("lost")
def test_a_server_of_a_lost_pod_is_503_and_the_others_are_shown(
    tenant: Tenant, servers: dict[str, str], zones: tuple[str, str]
) -> None:
    gone = tenant.cloud.get("compute", f"/servers/{servers[zones[1]]}", version="2.68")
    here = tenant.cloud.get("compute", f"/servers/{servers[zones[0]]}", version="2.68")

    assert gone.status == 503
    assert int(gone.headers["Retry-After"]) > 0
    assert here.status == 200


@pytest.mark.usefixtures("lost")
def test_the_other_zone_takes_creates_while_a_pod_is_lost(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    server = tenant.cloud.create_server("meanwhile", zones[0])

    assert tenant.direct[zones[0]].has("compute", f"/servers/{server}")
    assert tenant.cloud.delete("compute", f"/servers/{server}").status == 204


def test_a_killed_gateway_knows_every_server_when_it_is_back(
    tenant: Tenant, gateway: Gateway, servers: dict[str, str], zones: tuple[str, str]
) -> None:
    gateway.kill()
    gateway.start()

    shown = {zone: tenant.cloud.read("compute", f"/servers/{servers[zone]}") for zone in zones}

    found = {zone: item["server"]["OS-EXT-AZ:availability_zone"] for zone, item in shown.items()}
    assert found == {zone: zone for zone in zones}
    listed = tenant.cloud.read("compute", "/servers?name=witness")["servers"]
    assert {item["id"] for item in listed} == set(servers.values())


def test_no_token_is_in_the_gateways_log(tenant: Tenant, gateway: Gateway) -> None:
    tenant.cloud.read("compute", "/servers")

    assert tenant.cloud.client.token not in gateway.log()


_ZONE = {"availability_zone"}


def _missing(cloud: Cloud) -> str | None:
    return cloud.get("compute", "/servers").headers["x-trio2o-missing"]


def _computes(cloud: Cloud) -> dict[str, str]:
    """Give the status of each nova-compute by its host."""
    found = cloud.read("compute", "/os-services?binary=nova-compute", version="2.69")
    return {entry["host"]: entry["status"] for entry in found["services"]}
