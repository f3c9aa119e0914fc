"""Pages of servers over two pods, sorted and cut by the rules that one real Nova shows."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

#: Servers of one create, most of them of one second, and their names, by the zone's place.
_BATCHES = ((0, 4, "beta"), (1, 4, "Alpha"), (0, 3, "gamma"), (1, 3, "beta"))

#: Sort keys and the fields that show them.
_KEYS = (
    ("created_at", "created"),
    ("display_name", "name"),
    ("uuid", "id"),
    ("vm_state", "OS-EXT-STS:vm_state"),
    ("task_state", "OS-EXT-STS:task_state"),
    ("key_name", "key_name"),
    ("project_id", "tenant_id"),
)


@pytest.fixture(scope="module")
def servers(tenant: Tenant, zones: tuple[str, str]) -> list[dict[str, Any]]:
    """Servers of both zones, many of them made at once, as the pods show them."""
    for place, count, name in _BATCHES:
        tenant.cloud.create_server(
            name, zones[place], networks="none", min_count=count, max_count=count
        )
    wanted = sum(count for _, count, _ in _BATCHES)

    def ask() -> list[dict[str, Any]]:
        return [
            server
            for pod in tenant.direct.values()
            for server in pod.read("compute", "/servers/detail")["servers"]
        ]

    def quiet(found: Sequence[Mapping[str, Any]]) -> bool:
        return len(found) == wanted and all(
            server["status"] == "ACTIVE" and not server["OS-EXT-STS:task_state"] for server in found
        )

    return until("servers of both pods", ask, quiet, timeout=180)


def by_the_rule(servers: Sequence[Mapping[str, Any]], field: str, *, downward: bool) -> list[str]:
    """Sort as Nova does: nothing is lowest, text without case, equal ones by id upward."""
    ordered = sorted(servers, key=lambda server: str(server["id"]), reverse=False)
    if field == "id":
        ordered.sort(key=lambda server: str(server["id"]), reverse=downward)
    else:
        ordered.sort(key=lambda server: (server[field] or "").upper(), reverse=downward)
    return [str(server["id"]) for server in ordered]


def walk(cloud: Cloud, query: Mapping[str, str], limit: int, path: str = "/servers") -> list[str]:
    """Pass the last id of each page as the marker of the next until a page is short."""
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        parameters = urlencode({**query, "limit": str(limit), **marker})
        page = [item["id"] for item in cloud.read("compute", f"{path}?{parameters}")["servers"]]
        found += page
        if len(page) < limit:
            return found
        marker = {"marker": page[-1]}


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(("key", "field"), _KEYS)
def test_two_pods_sort_by_the_rule_of_one_nova(
    tenant: Tenant, servers: list[dict[str, Any]], key: str, field: str, direction: str
) -> None:
    query = {"sort_key": key, "sort_dir": direction}
    downward = direction == "desc"

    for pod in tenant.direct.values():
        own = [
            item["id"] for item in pod.read("compute", f"/servers?{urlencode(query)}")["servers"]
        ]
        inside = [server for server in servers if server["id"] in own]
        assert own == by_the_rule(inside, field, downward=downward)
    assert walk(tenant.cloud, query, 1000) == by_the_rule(servers, field, downward=downward)


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("key", [*(key for key, _ in _KEYS), "instance_type_id", "locked_by"])
def test_small_pages_make_the_same_list(
    tenant: Tenant, servers: list[dict[str, Any]], key: str, limit: int
) -> None:
    query = {"sort_key": key, "sort_dir": "desc"}

    found = walk(tenant.cloud, query, limit)

    assert found == walk(tenant.cloud, query, 1000)
    assert sorted(found) == sorted(server["id"] for server in servers)


@pytest.mark.parametrize("key", ["created_at", "display_name", "task_state"])
def test_a_page_is_the_same_for_who_did_not_ask_for_the_one_before(
    tenant: Tenant, servers: list[dict[str, Any]], key: str
) -> None:
    query = {"sort_key": key, "sort_dir": "desc", "limit": "3"}
    whole = walk(tenant.cloud, {"sort_key": key, "sort_dir": "desc"}, 1000)

    for place in (0, 4, len(servers) - 2):
        # The administrator of the project has taken no page yet.
        parameters = urlencode({**query, "marker": whole[place]})
        page = tenant.admin.read("compute", f"/servers?{parameters}")["servers"]
        assert [server["id"] for server in page] == whole[place + 1 : place + 4]


def test_a_deleted_server_is_still_a_marker(tenant: Tenant, servers: list[dict[str, Any]]) -> None:
    whole = walk(tenant.cloud, {}, 1000)
    marker = whole[5]
    tenant.cloud.delete("compute", f"/servers/{marker}")
    until(
        "the server gone",
        lambda: tenant.cloud.has("compute", f"/servers/{marker}"),
        lambda has: not has,
    )

    for cloud in (tenant.cloud, tenant.admin):
        page = cloud.read("compute", f"/servers?limit=1000&marker={marker}")["servers"]
        assert [server["id"] for server in page] == whole[6:]


def test_changes_since_shows_the_deleted_ones_too(
    tenant: Tenant, servers: list[dict[str, Any]]
) -> None:
    query = {"changes-since": "2000-01-01T00:00:00Z"}

    found = walk(tenant.cloud, query, 3)

    assert sorted(found) == sorted(server["id"] for server in servers)
