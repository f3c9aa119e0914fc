"""What operators see of the whole cloud through the gateway, compared with the pods' own words."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.tenant import Tenant
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings

PROJECT = "{project}"
NOVA = ("2.1", "2.36", "2.40", "2.53", "2.57", "2.69", "2.88", "2.96")
#: Paths of Nova and the versions that have them.
COMPUTE: dict[str, tuple[str, ...]] = {
    "/limits": NOVA,
    f"/os-quota-sets/{PROJECT}": NOVA,
    f"/os-quota-sets/{PROJECT}/detail": NOVA,
    f"/os-quota-sets/{PROJECT}/defaults": NOVA,
    "/os-quota-class-sets/default": NOVA,
    f"/os-simple-tenant-usage/{PROJECT}": NOVA,
    "/os-simple-tenant-usage?detailed=1&start=2020-01-01T00:00:00": NOVA,
    "/os-instance_usage_audit_log": NOVA,
    "/os-availability-zone": NOVA,
    "/os-availability-zone/detail": NOVA,
    "/os-aggregates": NOVA,
    "/os-services": NOVA,
    "/os-hypervisors": NOVA,
    "/os-hypervisors/detail": NOVA,
    "/os-hypervisors/statistics": ("2.1", "2.53", "2.87"),
    "/os-hypervisors/compute/search": ("2.1", "2.52"),
    "/os-hosts": ("2.1", "2.42"),
}
CINDER = ("3.0", "3.36", "3.60", "3.70")
VOLUME: dict[str, tuple[str, ...]] = {
    "/limits": CINDER,
    f"/os-quota-sets/{PROJECT}": CINDER,
    f"/os-quota-sets/{PROJECT}?usage=True": CINDER,
    f"/os-quota-sets/{PROJECT}/defaults": CINDER,
    "/os-quota-class-sets/default": CINDER,
    "/os-availability-zone": CINDER,
    "/os-services": CINDER,
    "/os-hosts": CINDER,
    "/scheduler-stats/get_pools": CINDER,
    "/scheduler-stats/get_pools?detail=True": CINDER,
    "/resource_filters": ("3.33", "3.70"),
    "/volumes/summary": ("3.12", "3.36", "3.70"),
    "/clusters/detail": ("3.7", "3.70"),
}
CASES = [
    pytest.param(service, path, version, id=f"{service} {version} {path}")
    for service, table in (("compute", COMPUTE), ("volume", VOLUME))
    for path, versions in table.items()
    for version in versions
]


def shape(value: Any, at: str = "", keyed: frozenset[str] = frozenset()) -> set[str]:
    """Write down where which type stands; hosts that are keys count as one."""
    if isinstance(value, dict):
        names = {key: "*" if key.rpartition("~")[2] in keyed else key for key in value}
        parts = [shape(entry, f"{at}.{names[key]}", keyed) for key, entry in value.items()]
        return {f"{at}:object"}.union(*parts)
    if isinstance(value, list):
        return {f"{at}:list"}.union(*(shape(entry, f"{at}[]", keyed) for entry in value))
    if isinstance(value, bool):
        return {f"{at}:bool"}
    if isinstance(value, int | float):
        return {f"{at}:number"}
    return set() if value is None else {f"{at}:text"}


@pytest.fixture(scope="module")
def project(tenant: Tenant) -> str:
    return tenant.admin.client.project_id


@pytest.mark.parametrize(("service", "path", "version"), CASES)
def test_answers_have_the_keys_and_types_of_the_pods(
    tenant: Tenant, pods: list[Pod], project: str, service: str, path: str, version: str
) -> None:
    path = path.replace(PROJECT, project)
    keyed = frozenset(host for pod in pods for host in (*pod.computes, f"{pod.key}-ctl"))

    shown = shape(tenant.admin.read(service, path, version=version), "", keyed)

    own = [
        shape(pod.read(service, path, version=version), "", keyed)
        for pod in tenant.direct_admin.values()
    ]
    assert shown == set().union(*own)


def test_a_limit_is_the_pods_own_and_usage_is_the_sum(
    tenant: Tenant, zones: tuple[str, str], project: str
) -> None:
    before = tenant.admin.read("compute", f"/os-quota-sets/{project}/detail")["quota_set"]
    for server in [tenant.cloud.create_server(f"quota-{zone}", zone) for zone in zones]:
        # Nova counts what its conductor has placed.
        tenant.cloud.wait_for_server(server)

    detail = tenant.admin.read("compute", f"/os-quota-sets/{project}/detail")["quota_set"]
    limits = tenant.cloud.read("compute", "/limits")["limits"]["absolute"]

    assert detail["instances"]["in_use"] == before["instances"]["in_use"] + 2
    assert detail["instances"]["limit"] == before["instances"]["limit"]
    assert limits["totalInstancesUsed"] == detail["instances"]["in_use"]
    assert limits["maxTotalInstances"] == detail["instances"]["limit"]
    for pod in tenant.direct_admin.values():
        own = pod.read("compute", f"/os-quota-sets/{project}")["quota_set"]
        assert own["instances"] == detail["instances"]["limit"]


def test_usage_is_of_the_servers_of_both_pods_and_pages_count_servers(
    tenant: Tenant, zones: tuple[str, str], project: str
) -> None:
    made = {tenant.cloud.create_server(f"usage-{zone}", zone) for zone in zones}
    for server in made:
        tenant.cloud.wait_for_server(server)

    # A pod counts a server only from the second after its launch on.
    seen = until(
        "both servers are counted",
        lambda: _usage_page_by_page(tenant, project),
        lambda seen: made <= set(seen),
        timeout=20,
    )

    assert len(seen) == len(set(seen))


def _usage_page_by_page(tenant: Tenant, project: str) -> list[str]:
    """Read the ids of all servers of a project's usage, one a page."""
    path = f"/os-simple-tenant-usage/{project}?start=2020-01-01T00:00:00&limit=1"
    seen: list[str] = []
    while path:
        page = tenant.cloud.read("compute", path, version="2.40")
        seen += [entry["instance_id"] for entry in page["tenant_usage"].get("server_usages", [])]
        [link] = page.get("tenant_usage_links") or [None]
        assert len(seen) <= 50
        path = link["href"].partition("/v2.1")[2] if link else ""
    return seen


class TestAggregates:
    @pytest.fixture
    def aggregate(self, tenant: Tenant, zones: tuple[str, str]) -> Iterator[Any]:
        body = {"aggregate": {"name": f"{tenant.name}-second", "availability_zone": zones[1]}}
        answer = tenant.admin.post("compute", "/os-aggregates", body)
        assert answer.status == 200, answer.text
        made = answer.json["aggregate"]
        yield made
        assert tenant.admin.delete("compute", f"/os-aggregates/{made['id']}").status == 200

    def test_it_is_made_in_the_pod_of_its_zone(
        self, tenant: Tenant, zones: tuple[str, str], aggregate: Any
    ) -> None:
        names = {
            zone: [entry["name"] for entry in pod.read("compute", "/os-aggregates")["aggregates"]]
            for zone, pod in tenant.direct_admin.items()
        }

        assert [zone for zone, held in names.items() if aggregate["name"] in held] == [zones[1]]
        assert aggregate["availability_zone"] == zones[1]

    def test_its_number_is_the_same_in_lists_and_leads_to_it(
        self, tenant: Tenant, aggregate: Any
    ) -> None:
        listed = tenant.admin.read("compute", "/os-aggregates")["aggregates"]
        shown = tenant.admin.read("compute", f"/os-aggregates/{aggregate['id']}")["aggregate"]

        ids = [entry["id"] for entry in listed]
        assert len(ids) == len(set(ids))
        assert aggregate["id"] in ids
        assert shown["name"] == aggregate["name"]

    def test_a_host_is_added_and_removed_by_the_name_that_is_shown(
        self, tenant: Tenant, pods: list[Pod], aggregate: Any
    ) -> None:
        [host, *_] = [
            entry["host"]
            for entry in tenant.admin.read("compute", "/os-services?binary=nova-compute")[
                "services"
            ]
            if entry["host"].startswith(f"{pods[1].name}~")
        ]
        path = f"/os-aggregates/{aggregate['id']}/action"

        added = tenant.admin.post("compute", path, {"add_host": {"host": host}})
        removed = tenant.admin.post("compute", path, {"remove_host": {"host": host}})

        assert (added.status, added.json["aggregate"]["hosts"]) == (200, [host])
        assert (removed.status, removed.json["aggregate"]["hosts"]) == (200, [])

    def test_a_host_of_another_pod_cannot_join(
        self, tenant: Tenant, pods: list[Pod], aggregate: Any
    ) -> None:
        host = f"{pods[0].name}~{pods[0].computes[0]}"

        answer = tenant.admin.post(
            "compute", f"/os-aggregates/{aggregate['id']}/action", {"add_host": {"host": host}}
        )

        assert answer.status == 400

    def test_metadata_keeps_what_the_operator_wrote(
        self, tenant: Tenant, zones: tuple[str, str], aggregate: Any
    ) -> None:
        metadata = {"availability_zone": zones[1], "pinned": zones[1]}

        answer = tenant.admin.post(
            "compute",
            f"/os-aggregates/{aggregate['id']}/action",
            {"set_metadata": {"metadata": metadata}},
        )

        assert answer.json["aggregate"]["metadata"] == metadata


@pytest.mark.parametrize("version", ["2.1", "2.53"])
def test_every_hypervisor_is_shown_by_its_id_and_served_by_a_listed_service(
    tenant: Tenant, pods: list[Pod], version: str
) -> None:
    listed = tenant.admin.read("compute", "/os-hypervisors/detail", version=version)["hypervisors"]
    services = tenant.admin.read("compute", "/os-services", version=version)["services"]

    assert {entry["hypervisor_hostname"] for entry in listed} == {
        f"{pod.name}~{host}" for pod in pods for host in pod.computes
    }
    for entry in listed:
        path = f"/os-hypervisors/{entry['id']}"
        shown = tenant.admin.read("compute", path, version=version)["hypervisor"]
        uptime = tenant.admin.read("compute", f"{path}/uptime", version=version)["hypervisor"]
        assert shown["hypervisor_hostname"] == entry["hypervisor_hostname"]
        assert uptime["id"] == entry["id"]
        assert [one["host"] for one in services if one["id"] == entry["service"]["id"]] == [
            entry["service"]["host"]
        ]


def test_statistics_are_the_sum_of_the_pods(tenant: Tenant) -> None:
    path = "/os-hypervisors/statistics"
    read = tenant.admin.read("compute", path, version="2.1")["hypervisor_statistics"]
    own = [
        pod.read("compute", path, version="2.1")["hypervisor_statistics"]
        for pod in tenant.direct_admin.values()
    ]

    for key in ("count", "vcpus", "memory_mb", "local_gb"):
        assert read[key] == sum(entry[key] for entry in own)


@pytest.mark.parametrize("by_id", [False, True])
def test_a_compute_service_is_disabled_and_enabled_in_its_pod(
    tenant: Tenant, pods: list[Pod], zones: tuple[str, str], *, by_id: bool
) -> None:
    inner = pods[1].computes[-1]
    host = f"{pods[1].name}~{inner}"
    [service] = tenant.admin.read("compute", f"/os-services?host={host}")["services"]
    pod = tenant.direct_admin[zones[1]]

    def switch(status: str) -> int:
        if by_id:
            path, body = f"/os-services/{service['id']}", {"status": status}
            return tenant.admin.put("compute", path, body).status
        body = {"host": host, "binary": "nova-compute"}
        path = f"/os-services/{status.removesuffix('d')}"
        return tenant.admin.put("compute", path, body, version="2.1").status

    def status() -> str:
        [found] = pod.read("compute", f"/os-services?host={inner}")["services"]
        return str(found["status"])

    assert (switch("disabled"), status()) == (200, "disabled")
    assert (switch("enabled"), status()) == (200, "enabled")


def test_a_host_of_nova_is_described_by_its_shown_name(tenant: Tenant, pods: list[Pod]) -> None:
    host = f"{pods[0].name}~{pods[0].computes[0]}"

    read = tenant.admin.read("compute", f"/os-hosts/{host}", version="2.1")["host"]

    assert {entry["resource"]["host"] for entry in read} == {host}


def test_a_volume_service_is_frozen_and_thawed_by_its_shown_name(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    path = "/os-services?binary=cinder-volume"
    listed = tenant.admin.read("volume", path, version="3.70")["services"]
    host = listed[-1]["host"]

    def frozen() -> dict[str, bool]:
        return {
            zone: any(
                entry["frozen"] for entry in pod.read("volume", path, version="3.70")["services"]
            )
            for zone, pod in tenant.direct_admin.items()
        }

    inside = [pod.read("volume", path)["services"] for pod in tenant.direct_admin.values()]
    assert len(listed) == sum(map(len, inside))
    assert tenant.admin.put("volume", "/os-services/freeze", {"host": host}).status == 200
    assert frozen() == {zones[0]: False, zones[1]: True}
    assert tenant.admin.put("volume", "/os-services/thaw", {"host": host}).status == 200
    assert frozen() == {zones[0]: False, zones[1]: False}


def test_pools_and_capabilities_are_of_shown_back_ends(tenant: Tenant, pods: list[Pod]) -> None:
    names = [
        pool["name"] for pool in tenant.admin.read("volume", "/scheduler-stats/get_pools")["pools"]
    ]

    assert {name.partition("~")[0] for name in names} == {pod.name for pod in pods}
    for name in names:
        host = name.partition("#")[0]
        tenant.admin.read("volume", f"/capabilities/{host}")
        described = tenant.admin.read("volume", f"/os-hosts/{host}")["host"]
        assert described[0]["resource"]["host"] == host


def test_events_of_servers_of_both_pods_are_told_in_one_batch(
    tenant: Tenant, zones: tuple[str, str]
) -> None:
    servers = [tenant.cloud.create_server(f"event-{zone}", zone) for zone in zones]
    for server in servers:
        tenant.cloud.wait_for_server(server)
    nobody = "00000000-0000-4000-8000-000000000000"
    batch = [
        {"name": "network-changed", "server_uuid": server}
        for server in (servers[1], nobody, servers[0])
    ]

    answer = tenant.admin.post("compute", "/os-server-external-events", {"events": batch})

    assert answer.status == 207
    assert [(entry["server_uuid"], entry["code"]) for entry in answer.json["events"]] == [
        (servers[1], 200),
        (nobody, 404),
        (servers[0], 200),
    ]


def test_a_user_is_refused_what_operators_see_as_a_pod_refuses_it(tenant: Tenant) -> None:
    for path in ("/os-aggregates", "/os-services", "/os-hypervisors/detail", "/os-migrations"):
        answer = tenant.cloud.get("compute", path)
        own = [pod.get("compute", path) for pod in tenant.direct.values()]

        assert (answer.status, answer.json) == (403, own[0].json)


def test_the_request_id_of_a_computed_answer_is_the_pods_global_one(
    tenant: Tenant, pods: list[Pod], settings: Settings
) -> None:
    answer = tenant.cloud.get("compute", "/limits")
    request = answer.headers["x-openstack-request-id"]
    logs = [settings.run / "logs" / f"{pod.key}-nova-api.out" for pod in pods]

    def told() -> list[bool]:
        return [request in log.read_text(errors="replace")[-200_000:] for log in logs]

    until("the pods' logs name the request", told, all, timeout=10)


def test_zones_of_pods_are_listed_with_all_hosts(tenant: Tenant, zones: tuple[str, str]) -> None:
    read = tenant.admin.read("compute", "/os-availability-zone/detail")["availabilityZoneInfo"]
    hosts = {entry["zoneName"]: set(entry["hosts"]) for entry in read}
    own: dict[str, Cloud] = tenant.direct_admin

    assert set(hosts) == {*zones, "internal"}
    for zone, pod in own.items():
        inside = pod.read("compute", "/os-availability-zone/detail")["availabilityZoneInfo"]
        counted = sum(len(entry["hosts"]) for entry in inside if entry["zoneName"] != "internal")
        assert len(hosts[zone]) == counted
