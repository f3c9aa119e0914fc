"""A thousand servers in three pods page as they would in one Nova, and volumes as in one Cinder.

One more real Nova has the same rows: what it gives as one page is what the gateway's pages must
make together, every id once and in this order. Equal values are the rule and many are missing.
Nova sorts equal servers by uuid and Cinder equal volumes by the time of creation and id, in any
number of cells, so the order among equals is compared, too. Not compared is the order by what is
not shown: to anybody (`instance_type_id`, `locked_by`), to users (`kernel_id` …), or of servers
that are not at work (`progress`); there each id must come once.

A pod takes seconds for a thousand servers, so few lists are asked for; `TRIO2O_THOUSAND=part` asks
for more, in part, and `TRIO2O_THOUSAND=all` walks all of them to the end, with more servers.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.integration import tenant as tenants
from tests.integration import thousand
from tests.integration.cloud import Cloud
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant
from tests.integration.thousand import ALL, PART, Thousand
from tests.openstack.backing import mariadb
from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

_long = pytest.mark.skipif(not PART, reason="long: TRIO2O_THOUSAND=part or all")

#: A query, with repeated names where it has several sort keys.
Query = Sequence[tuple[str, str]]

#: Sort keys of servers, the first ones also where lists are walked in part.
_KEYS = [
    "display_name",
    "launched_at",
    "task_state",
    "access_ip_v4",
    "access_ip_v6",
    "auto_disk_config",
    "availability_zone",
    "config_drive",
    "created_at",
    "display_description",
    "hostname",
    "image_ref",
    "key_name",
    "locked",
    "power_state",
    "project_id",
    "terminated_at",
    "updated_at",
    "user_id",
    "uuid",
    "vm_state",
]
#: These are shown to administrators, and Nova lets them alone sort by the first two.
_ADMIN_KEYS = ["host", "node", "kernel_id", "launch_index", "ramdisk_id", "root_device_name"]
_HIDDEN_KEYS = ["instance_type_id", "locked_by", "progress"]
_VOLUME_KEYS = [
    "created_at",
    "name",
    "size",
    "status",
    "bootable",
    "id",
    "updated_at",
    "availability_zone",
    "host",
    "display_description",
    "project_id",
    "user_id",
]
_VERSION = {"compute": "2.90", "volume": "3.70"}


@dataclass(frozen=True)
class Scene:
    """Two replicas of the product before the pods, and the whole to compare with."""

    thousand: Thousand
    gateways: tuple[Gateway, Gateway]
    tenant: Tenant
    #: The project at the second replica.
    second: Cloud
    #: The project and its administrator at the whole.
    whole: Cloud
    whole_admin: Cloud


@pytest.fixture(scope="module")
def scene(
    settings: Settings, pods: list[Pod], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Fill the pods and start the product."""
    with tenants.lent(settings, pods, "") as owner, ExitStack() as replicas:
        home = owner.direct[pods[0].zone]
        server = home.create_server("template", networks="none")
        volume = home.create_volume("template")
        home.wait_for_server(server)
        home.wait_for_volume(volume)
        stranger = Client(settings.keystone, "alt", "alt").project_id
        name = f"trio2o_{uuid4().hex[:8]}"
        mariadb.sql(settings, f"create database {name}")
        everything = thousand.start(settings, pods[0], home, server, volume, stranger)
        database = mariadb.url(settings, name).partition("?")[0].replace("+pymysql", "")
        # Pods that are busy with what others test are no lost pods.
        more = {"database": database, "timeouts": {"list": 300, "pod": 300}}
        endpoints = thousand.definitions(everything.pods)
        first, second = (
            replicas.enter_context(
                Gateway(settings, everything.pods, folder, endpoints, more=more),
            )
            for folder in map(tmp_path_factory.mktemp, ("first", "second"))
        )
        tenant = tenants.elsewhere(owner, everything.pods, first.url)
        member, master = tenant.cloud.client, tenant.admin.client
        yield Scene(
            everything,
            (first, second),
            tenant,
            Cloud.at_gateway(member, second.url),
            Cloud.in_pod(member, everything.whole),
            Cloud.in_pod(master, everything.whole),
        )
        replicas.close()
        thousand.stop(everything)
        mariadb.sql(settings, f"drop database {name}")


def ids(page: Mapping[str, Any], path: str = "/servers") -> list[str]:
    """Give the ids of a page."""
    return [item["id"] for item in page[path.split("/")[1]]]


def expected(cloud: Cloud, query: Query, path: str = "/servers") -> list[str]:
    """Ask the whole for a list, which it gives as one page."""
    return ids(cloud.read(_service(path), f"{path}?{urlencode(query)}"), path)


def by_links(cloud: Cloud, query: Query, path: str = "/servers") -> list[str]:
    """Follow the links to the next page to the end."""
    service, plural = _service(path), path.split("/")[1]
    root = cloud.url(service).split("/v")[0]
    url = cloud.url(service, f"{path}?{urlencode(query)}")
    found: list[str] = []
    while url:
        headers = {"OpenStack-API-Version": f"{service} {_VERSION[service]}"}
        answer = cloud.client.call("GET", url, headers=headers)
        assert answer.headers["x-trio2o-missing"] is None
        page = answer.json
        found += ids(page, path)
        url = next((link["href"] for link in page.get(f"{plural}_links", [])), "")
        assert not url or url.startswith(root)
    return found


def by_markers(
    clouds: Sequence[Cloud],
    query: Query,
    limit: int,
    path: str = "/servers",
    marker: str = "",
    pages: int = 10_000,
) -> list[str]:
    """Pass the last id of each page as the next marker, to each of `clouds` by turns."""
    found: list[str] = []
    for turn in range(pages):
        own = [("limit", str(limit)), *([("marker", marker)] if marker else [])]
        cloud = clouds[turn % len(clouds)]
        page = ids(cloud.read(_service(path), f"{path}?{urlencode([*query, *own])}"), path)
        assert len(page) <= limit
        found += page
        if not page:
            break
        marker = page[-1]
    return found


def sorted_by(*keys: str) -> Query:
    """Write sort keys, each with its direction: `vm_state:asc`."""
    pairs = [key.split(":") for key in keys]
    return [
        entry for key, direction in pairs for entry in (("sort_key", key), ("sort_dir", direction))
    ]


def _service(path: str) -> str:
    return "volume" if path.startswith("/volumes") else "compute"


def _same(found: Sequence[str], wanted: Sequence[str]) -> None:
    """Compare lists, and say in a line how they differ."""
    twice, apart = len(found) - len(set(found)), [*found] != [*wanted]
    lost, strange = len(set(wanted) - set(found)), len(set(found) - set(wanted))
    assert (twice, lost, strange, apart) == (0, 0, 0, False)


@pytest.mark.parametrize("limit", [0, 100, 7] if ALL else [0, 100] if PART else [0])
def test_the_list_of_servers_is_that_of_one_nova(scene: Scene, limit: int) -> None:
    query = [("limit", str(limit))] if limit else []

    found = by_links(scene.tenant.cloud, query)

    _same(found, expected(scene.whole, []))
    assert len(found) > 1000


@pytest.mark.parametrize("direction", ["asc", "desc"] if PART else ["desc"])
@pytest.mark.parametrize("key", _KEYS if ALL else _KEYS[:2] if PART else ["launched_at"])
def test_a_sorted_list_is_that_of_one_nova(scene: Scene, key: str, direction: str) -> None:
    query = sorted_by(f"{key}:{direction}")

    found = by_links(scene.tenant.cloud, query)

    _same(found, expected(scene.whole, query))


@_long
@pytest.mark.parametrize("direction", ["asc", "desc"] if ALL else ["asc"])
@pytest.mark.parametrize("key", _ADMIN_KEYS if ALL else _ADMIN_KEYS[:1])
def test_administrators_sort_by_what_they_see(scene: Scene, key: str, direction: str) -> None:
    query = [*sorted_by(f"{key}:{direction}"), ("all_tenants", "1")]

    found = by_links(scene.tenant.admin, query)

    _same(found, expected(scene.whole_admin, query))


@_long
@pytest.mark.parametrize("key", _HIDDEN_KEYS if ALL else [])
def test_a_list_by_what_is_not_shown_has_every_server_once(scene: Scene, key: str) -> None:
    query = sorted_by(f"{key}:asc")

    found = by_links(scene.tenant.cloud, query)

    _same(sorted(found), sorted(expected(scene.whole, query)))


@_long
@pytest.mark.parametrize(
    "keys",
    [("vm_state:desc", "display_name:asc"), ("task_state:asc", "launched_at:desc")],
)
def test_two_keys_sort_as_in_one_nova(scene: Scene, keys: tuple[str, str]) -> None:
    query = sorted_by(*keys)

    found = by_links(scene.tenant.cloud, [*query, ("limit", "100" if ALL else "600")])

    _same(found, expected(scene.whole, query))


@_long
@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("key", ["", "launched_at:desc", "display_name:asc"] if ALL else [""])
def test_pages_by_markers_and_replicas_in_turn_make_one_list(
    scene: Scene, key: str, limit: int
) -> None:
    query = sorted_by(key) if key else []
    clouds = (scene.tenant.cloud, scene.second)
    wanted = expected(scene.whole, query)
    start = len(wanted) // 2

    found = by_markers(clouds, query, limit, marker=wanted[start], pages=3)

    _same(found, wanted[start + 1 :][: 3 * limit])


def test_a_replica_that_was_killed_goes_on_where_a_list_was(scene: Scene) -> None:
    wanted = expected(scene.whole, [])
    first = by_markers([scene.second], [], 100, pages=2)

    scene.gateways[1].kill()
    scene.gateways[1].start()
    found = by_markers([scene.second], [], 100, marker=first[-1], pages=2)

    _same(first + found, wanted[:400])


@pytest.mark.parametrize("key", ["", "launched_at:asc", "display_name:desc"] if ALL else [""])
def test_what_stands_behind_a_deleted_server_is_that_of_one_nova(scene: Scene, key: str) -> None:
    query = sorted_by(key) if key else []
    gone = [str(row["uuid"]) for row in scene.thousand.servers if row["deleted_at"]]

    for marker in gone if ALL else gone[:: len(gone) // 3]:
        found = by_markers([scene.tenant.cloud], query, 20, marker=marker, pages=1)

        _same(found, expected(scene.whole, [*query, ("marker", marker), ("limit", "20")]))


@_long
@pytest.mark.parametrize(
    "query",
    [
        [("name", "^one-")],
        [("status", "ERROR")],
        [("name", "web"), ("status", "SHUTOFF")],
        [("key_name", "laptop")],
    ],
)
def test_filters_choose_what_they_choose_in_one_nova(scene: Scene, query: Query) -> None:
    outside = expected(scene.whole, [])[300]

    found = by_markers([scene.tenant.cloud], query, 60, pages=100 if ALL else 2)
    behind = by_markers([scene.second], query, 20, marker=outside, pages=1)

    wanted = expected(scene.whole, query)
    _same(found, wanted if ALL else wanted[:120])
    _same(behind, expected(scene.whole, [*query, ("marker", outside), ("limit", "20")]))


@_long
def test_changes_since_has_deleted_servers_where_one_nova_has_them(scene: Scene) -> None:
    query = [("changes-since", "2000-01-01T00:00:00Z")]
    wanted = expected(scene.whole, query)

    found = by_markers([scene.tenant.cloud], query, 400, pages=10 if ALL else 2)

    _same(found, wanted if ALL else wanted[:800])
    assert {row["uuid"] for row in scene.thousand.servers if row["deleted_at"]} <= set(wanted)


@_long
def test_an_administrator_sees_all_projects_servers(scene: Scene) -> None:
    query = [("all_tenants", "1")]

    found = by_links(scene.tenant.admin, query)

    _same(found, expected(scene.whole_admin, query))
    assert len(found) > len(expected(scene.whole, []))


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", _VOLUME_KEYS if ALL else _VOLUME_KEYS[:2])
def test_sorted_volumes_are_those_of_one_cinder(scene: Scene, key: str, direction: str) -> None:
    query = [("sort", f"{key}:{direction}")]
    clouds = (scene.tenant.cloud, scene.second)
    wanted = expected(scene.whole, query, "/volumes")

    _same(by_links(scene.tenant.cloud, query, "/volumes"), wanted)
    _same(by_links(scene.tenant.cloud, [*query, ("limit", "60")], "/volumes"), wanted)
    _same(by_markers(clouds, query, 100, "/volumes"), wanted)


@pytest.mark.parametrize("sort", ["created_at:desc", "name:asc", "status:asc,display_name:desc"])
def test_an_offset_skips_as_many_volumes_as_in_one_cinder(scene: Scene, sort: str) -> None:
    query = [("sort", sort), ("limit", "50"), ("offset", "120")]

    found = ids(scene.tenant.cloud.read("volume", f"/volumes?{urlencode(query)}"), "/volumes")

    _same(found, expected(scene.whole, query, "/volumes"))
