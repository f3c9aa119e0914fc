"""Lists as a client of the gateway sees them, over scripted pods."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from control_plane.model.fleet import Fleet
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from control_plane.pods.view import View
from tests.handlers.nova import Nova, Server, script
from tests.processor.envoy import POD1, POD2, VIEW, Envoy, Said, facts

Answer = tuple[int, Any] | None


def both(one: Nova, two: Nova) -> Envoy:
    return Envoy(script({"Pod1": one, "Pod2": two}))


def told(envoy: Envoy, pod: str) -> list[dict[str, list[str]]]:
    """Read the queries a pod was asked, in order."""
    return [
        parse_qs(urlsplit(request.path).query) for name, request in envoy.pods.asked if name == pod
    ]


def of_pods(**answers: Answer | Callable[[PodRequest], Answer]) -> Envoy:
    """Let each pod give one answer, or what a function says."""

    def answer(pod: Pod, request: PodRequest) -> Answer:
        found = answers[pod.name]
        return found(request) if callable(found) else found

    return Envoy(answer)


ONE = Server("a", 20)
TWO = Server("b", 10)


async def test_a_pod_that_does_not_answer_is_named_by_its_zone_and_the_others_are_listed() -> None:
    said = await both(Nova([ONE]), Nova([TWO], dead=True)).exchange(
        "GET", "/compute/v2.1/servers/detail"
    )

    assert [server["id"] for server in said.json["servers"]] == ["a"]
    assert said.headers["x-trio2o-missing"] == "az2"


async def test_a_pod_that_dies_in_the_middle_of_a_list_is_missing_from_there_on() -> None:
    dying = Nova([Server(f"b{number}", 100 - number) for number in range(4)], max_limit=2)

    def answer(request: PodRequest) -> Answer:
        return None if "marker" in request.path else dying.answer(request)

    envoy = of_pods(Pod1=Nova([ONE]).answer, Pod2=answer)

    said = await envoy.exchange("GET", "/compute/v2.1/servers/detail")

    assert [server["id"] for server in said.json["servers"]] == ["b0", "b1", "a"]
    assert said.headers["x-trio2o-missing"] == "az2"


async def test_a_pod_that_comes_back_goes_on_where_it_stood() -> None:
    one, two = Nova([Server(f"a{n}", 90 - 20 * n) for n in range(4)]), Nova([])
    two.servers = [Server(f"b{n}", 80 - 20 * n) for n in range(4)]
    envoy = both(one, two)
    found: list[str] = []
    query = ""
    for dead in (False, True, False, False):
        two.dead = dead
        said = await envoy.exchange("GET", f"/compute/v2.1/servers/detail?limit=2{query}")
        page = [server["id"] for server in said.json["servers"]]
        query = f"&marker={page[-1]}"
        found += page

    assert found == ["a0", "b0", "a1", "a2", "b1", "b2", "a3", "b3"]


async def test_when_no_pod_answers_the_list_can_be_asked_for_again() -> None:
    said = await of_pods(Pod1=None, Pod2=(500, {})).exchange("GET", "/compute/v2.1/servers")

    assert said.status == 503
    assert int(said.headers["retry-after"]) > 0


@pytest.mark.parametrize("status", [400, 403, 413])
async def test_what_one_pod_refuses_is_refused_in_its_words(status: int) -> None:
    refusal = {"badRequest": {"code": status, "message": "no such key"}}

    said = await of_pods(Pod1=(200, {"servers": []}), Pod2=(status, refusal)).exchange(
        "GET", "/compute/v2.1/servers/detail?sort_key=odd"
    )

    assert said.status == status
    assert said.json == refusal


def lost(envoy: Envoy) -> None:
    """Say what the store knows of Pod2, among it what is not the caller's."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    for owner in (
        Owner("b1", "server", "Pod2", "a1b2", moment),
        Owner("b2", "server", "Pod2", "another", moment),
        Owner("v", "volume", "Pod2", "a1b2", moment),
        Owner("a", "server", "Pod1", "a1b2", moment),
    ):
        envoy.store.rows[owner.id] = owner


LINKS = [
    {"rel": "self", "href": "http://gateway:8080/compute/v2.1/a1b2/servers/b1"},
    {"rel": "bookmark", "href": "http://gateway:8080/compute/servers/b1"},
]


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("/servers", {"id": "b1", "status": "UNKNOWN"}),
        (
            "/servers/detail",
            {
                "id": "b1",
                "status": "UNKNOWN",
                "tenant_id": "a1b2",
                "created": "2026-01-02T03:04:05Z",
            },
        ),
    ],
)
async def test_from_2_69_on_what_a_lost_pod_has_stands_in_front(
    path: str, record: dict[str, str]
) -> None:
    envoy = both(Nova([ONE]), Nova([], dead=True))
    lost(envoy)

    said = await envoy.exchange("GET", f"/compute/v2.1{path}", openstack_api_version="compute 2.69")

    first, second = said.json["servers"]
    links = first.pop("links")
    assert first == record
    assert [link["rel"] for link in links] == ["self", "bookmark"]
    assert links[0]["href"].endswith("/servers/b1")
    assert second["id"] == "a"
    assert said.headers["x-trio2o-missing"] == "az2"


@pytest.mark.parametrize(
    ("version", "query"),
    [("2.68", ""), ("2.69", "?limit=5"), ("2.69", "?name=x"), ("2.69", "?sort_key=uuid")],
)
async def test_below_and_with_any_filter_or_page_it_is_left_out(version: str, query: str) -> None:
    envoy = both(Nova([ONE]), Nova([], dead=True))
    lost(envoy)

    said = await envoy.exchange(
        "GET",
        f"/compute/v2.1/servers/detail{query}",
        openstack_api_version=f"compute {version}",
    )

    assert [server["id"] for server in said.json["servers"]] == ["a"]


@pytest.mark.parametrize(("token", "ids"), [("admin", {"b1", "b2"}), ("user", {"b1"})])
async def test_all_projects_records_are_for_administrators(token: str, ids: set[str]) -> None:
    envoy = both(Nova([]), Nova([], dead=True))
    lost(envoy)

    said = await envoy.exchange(
        "GET",
        "/compute/v2.1/servers?all_tenants=1",
        token=token,
        openstack_api_version="compute 2.90",
    )

    assert {server["id"] for server in said.json["servers"]} == ids


def hosts(pod: Pod, _: PodRequest) -> Answer:
    """List one compute of Pod1, and let Pod2 be silent."""
    alive = {"binary": "nova-compute", "host": "c1", "id": "u1", "zone": "inner1", "status": "up"}
    return (200, {"services": [alive]}) if pod == POD1 else None


@pytest.mark.parametrize(
    ("version", "query", "found"),
    [
        ("2.69", "", {("Pod1~c1", "up"), ("Pod2~c1", "UNKNOWN"), ("Pod2~c2", "UNKNOWN")}),
        ("2.69", "?host=c2&binary=nova-compute", {("Pod1~c1", "up"), ("Pod2~c2", "UNKNOWN")}),
        ("2.69", "?binary=nova-compute&odd=1", {("Pod1~c1", "up")}),
        ("2.68", "", {("Pod1~c1", "up")}),
    ],
)
async def test_from_2_69_on_the_computes_of_a_lost_pod_are_listed_as_unknown(
    version: str, query: str, found: set[tuple[str, str]]
) -> None:
    envoy = Envoy(hosts)
    roll = [{"binary": "nova-compute", "host": name} for name in ("c1", "c2")]
    await envoy.store.put_fact("Pod2", "roll/nova_service", roll)

    said = await envoy.exchange(
        "GET",
        f"/compute/v2.1/os-services{query}",
        token="admin",
        openstack_api_version=f"compute {version}",
    )

    shown = said.json["services"]
    assert {(entry["host"], entry["status"]) for entry in shown} == found
    unknown = [entry for entry in shown if entry["status"] == "UNKNOWN"]
    assert all(entry.keys() == {"binary", "host", "status"} for entry in unknown)


def without_pod2(envoy: Envoy) -> Envoy:
    """Let the registry have seen that Pod2 does not answer."""
    gone = replace(VIEW.facts["Pod2"], misses=2)
    envoy.registry.view = View(VIEW.fleet, {**VIEW.facts, "Pod2": gone})
    return envoy


async def test_a_server_of_a_lost_pod_is_shown_as_far_as_it_is_known() -> None:
    envoy = without_pod2(both(Nova([]), Nova([], dead=True)))
    lost(envoy)

    said = await envoy.exchange(
        "GET", "/compute/v2.1/servers/b1", openstack_api_version="compute 2.69"
    )

    assert said.status == 200
    server = said.json["server"]
    assert server["id"] == "b1"
    assert server["status"] == "UNKNOWN"
    assert server["OS-EXT-AZ:availability_zone"] == "az2"
    assert server["OS-EXT-STS:power_state"] == 0


@pytest.mark.parametrize(
    ("server", "version", "method"),
    [("b2", "2.69", "GET"), ("b1", "2.68", "GET"), ("b1", "2.69", "DELETE")],
)
async def test_otherwise_the_request_goes_to_the_pod(
    server: str, version: str, method: str
) -> None:
    envoy = without_pod2(both(Nova([]), Nova([], dead=True)))
    lost(envoy)

    said = await envoy.exchange(
        method, f"/compute/v2.1/servers/{server}", openstack_api_version=f"compute {version}"
    )

    assert said.cluster == "Pod2/compute"


async def test_a_zone_asks_its_pod_alone_by_the_pods_name_for_it() -> None:
    envoy = both(Nova([ONE]), Nova([TWO]))

    said = await envoy.exchange(
        "GET",
        "/compute/v2.1/servers/detail?availability_zone=az2",
        openstack_api_version="compute 2.83",
    )

    assert [server["id"] for server in said.json["servers"]] == ["b"]
    assert told(envoy, "Pod1") == []
    assert told(envoy, "Pod2")[0]["availability_zone"] == ["inner2"]


async def test_a_zone_nobody_has_gives_an_empty_list() -> None:
    envoy = both(Nova([ONE]), Nova([TWO]))

    said = await envoy.exchange(
        "GET", "/compute/v2.1/servers?availability_zone=nowhere", token="admin"
    )

    assert (said.status, said.json) == (200, {"servers": []})
    assert envoy.pods.asked == []


async def test_a_host_with_its_pod_asks_that_pod_by_the_hosts_own_name() -> None:
    envoy = both(Nova([ONE]), Nova([TWO]))

    await envoy.exchange("GET", "/compute/v2.1/servers/detail?host=Pod2~c1", token="admin")

    assert told(envoy, "Pod1") == []
    assert told(envoy, "Pod2")[0]["host"] == ["c1"]


@pytest.mark.parametrize("query", ["marker=unknown", "marker=unknown&limit=1"])
async def test_a_marker_nobody_knows_is_refused_in_the_pods_words(query: str) -> None:
    said = await both(Nova([ONE]), Nova([TWO])).exchange("GET", f"/compute/v2.1/servers?{query}")

    assert said.status == 400
    assert said.json["badRequest"]["message"] == "marker [unknown] not found"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["copper", "gold", "iron"]),
        ("&limit=2", ["copper", "gold"]),
        ("&offset=1", ["gold", "iron"]),
    ],
)
async def test_cinder_takes_a_marker_that_is_no_type_for_none(query: str, names: list[str]) -> None:
    one = [{"id": f"1-{name}", "name": name} for name in ("copper", "gold")]
    two = [{"id": f"2-{name}", "name": name} for name in ("gold", "iron")]
    envoy = of_pods(Pod1=(200, {"volume_types": one}), Pod2=(200, {"volume_types": two}))

    said = await envoy.exchange("GET", f"/volume/v3/types?sort=name:asc&marker=unknown{query}")

    assert [kind["name"] for kind in said.json["volume_types"]] == names


@pytest.mark.parametrize("path", ["/os-baremetal-nodes", "/os-baremetal-nodes/n1"])
async def test_what_works_in_no_pod_fails_as_in_each_of_them(path: str) -> None:
    fault = {"computeFault": {"code": 500, "message": "no Ironic"}}

    said = await of_pods(Pod1=(500, fault), Pod2=(500, fault)).exchange(
        "GET", f"/compute/v2.1{path}"
    )

    assert (said.status, said.json) == (500, fault)


async def test_a_marker_of_a_pod_that_does_not_answer_can_be_tried_again() -> None:
    said = await both(Nova([ONE]), Nova([TWO], dead=True)).exchange(
        "GET", "/compute/v2.1/servers?marker=b"
    )

    assert said.status == 503


async def test_a_marker_of_a_pod_that_the_filters_leave_out_is_good() -> None:
    one = Nova([Server("a1", 300), Server("a2", 100)])
    envoy = both(one, Nova([Server("b", 200)]))
    envoy.store.rows["b"] = Owner("b", "server", "Pod2", "a1b2")

    said = await envoy.exchange(
        "GET", "/compute/v2.1/servers?availability_zone=az1&marker=b", token="admin"
    )

    assert [server["id"] for server in said.json["servers"]] == ["a2"]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (
            "images?limit=1&marker=z",
            {
                "first": "/v2/images?limit=1",
                "schema": "/v2/schemas/images",
                "next": "/v2/images?limit=1&marker=a",
            },
        ),
        (
            "metadefs/namespaces",
            {"first": "/v2/metadefs/namespaces", "schema": "/v2/schemas/metadefs/namespaces"},
        ),
        ("metadefs/resource_types", {}),
    ],
)
async def test_pages_of_glance_have_paths_below_the_endpoint(
    path: str, more: dict[str, str]
) -> None:
    plural, _, query = path.rpartition("/")[2].partition("?")
    items = [{"id": name, "namespace": name, "name": name} for name in ("z", "a") if query]

    said = await of_pods(Pod1=(200, {plural: items}), Pod2=(200, {plural: []})).exchange(
        "GET", f"/image/v2/{path}"
    )

    assert {name: said.json[name] for name in said.json if name != plural} == more


async def test_a_limit_of_zero_is_an_empty_page_without_a_link() -> None:
    said = await both(Nova([ONE]), Nova([TWO])).exchange("GET", "/compute/v2.1/servers?limit=0")

    assert said.json == {"servers": []}


async def test_a_full_page_has_a_link_though_nothing_follows() -> None:
    said = await both(Nova([ONE]), Nova([TWO])).exchange(
        "GET", "/compute/v2.1/servers?name=x&limit=2&marker="
    )

    [link] = said.json["servers_links"]
    url = urlsplit(link["href"])
    assert (url.netloc, url.path) == ("gateway:8080", "/compute/v2.1/servers")
    assert parse_qsl(url.query) == [("limit", "2"), ("marker", "b"), ("name", "x")]


async def test_unplaced_servers_of_all_pods_come_first() -> None:
    one = Nova([Server("a1", 900), Server("a2", 100, unplaced=True)])
    two = Nova([Server("b1", 800), Server("b2", 300, unplaced=True)])

    said = await both(one, two).exchange("GET", "/compute/v2.1/servers/detail")

    assert [server["id"] for server in said.json["servers"]] == ["b2", "a2", "a1", "b1"]


async def test_a_brief_list_is_asked_for_as_such_where_it_shows_the_order() -> None:
    envoy = of_pods(
        Pod1=(200, {"flavors": [{"id": "1", "name": "x"}, {"id": "3", "name": "z"}]}),
        Pod2=(200, {"flavors": [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}]}),
    )

    said = await envoy.exchange("GET", "/compute/v2.1/flavors")

    assert [flavor["id"] for flavor in said.json["flavors"]] == ["1", "2", "3"]
    assert {urlsplit(request.path).path for _, request in envoy.pods.asked} == {"/v2.1/flavors"}


async def test_a_sort_key_the_brief_form_lacks_is_read_from_the_details() -> None:
    envoy = of_pods(
        Pod1=(200, {"flavors": [{"id": "1", "name": "x", "ram": 5, "links": []}]}),
        Pod2=(200, {"flavors": [{"id": "2", "name": "y", "ram": 2, "links": []}]}),
    )

    said = await envoy.exchange("GET", "/compute/v2.1/flavors?sort_key=memory_mb")

    assert said.json["flavors"] == [
        {"id": "2", "name": "y", "links": []},
        {"id": "1", "name": "x", "links": []},
    ]


def volumes(*ids: str, count: int) -> Callable[[PodRequest], Answer]:
    """Give volumes, newest first by id, and say that there are `count`."""

    def answer(request: PodRequest) -> Answer:
        query = dict(parse_qsl(urlsplit(request.path).query))
        rows = list(ids)
        if marker := query.get("marker"):
            if marker not in rows:
                return 404, {"itemNotFound": {"code": 404, "message": f"Volume {marker}"}}
            rows = rows[rows.index(marker) + 1 :]
        rows = rows[: int(query.get("limit", 1000))]
        page = [{"id": row, "created_at": row, "availability_zone": "in"} for row in rows]
        return 200, {"volumes": page, "count": count}

    return answer


async def test_counts_are_added_up_and_an_offset_counts_merged_volumes() -> None:
    envoy = of_pods(Pod1=volumes("9", "5", "1", count=30), Pod2=volumes("8", "2", count=12))

    said = await envoy.exchange(
        "GET",
        "/volume/v3/volumes/detail?with_count=True&offset=1&limit=3",
        openstack_api_version="volume 3.45",
    )

    assert [volume["id"] for volume in said.json["volumes"]] == ["8", "5", "2"]
    assert {volume["availability_zone"] for volume in said.json["volumes"]} == {"az1", "az2"}
    assert said.json["count"] == 42


@pytest.mark.parametrize(("marker", "status"), [("5", 200), ("7", 404)])
async def test_cinder_knows_only_markers_that_are_there(marker: str, status: int) -> None:
    envoy = of_pods(Pod1=volumes("9", "5", "1", count=3), Pod2=volumes("8", "2", count=2))

    said = await envoy.exchange("GET", f"/volume/v3/volumes/detail?marker={marker}")

    assert said.status == status
    if status == 200:
        assert [volume["id"] for volume in said.json["volumes"]] == ["2", "1"]


async def test_a_cursor_whose_items_are_gone_is_not_needed() -> None:
    rows = {"Pod1": ["9", "5", "1"], "Pod2": ["8", "2"]}
    envoy = Envoy(lambda pod, request: volumes(*rows[pod.name], count=0)(request))
    await envoy.exchange("GET", "/volume/v3/volumes/detail?limit=3")
    rows["Pod2"].remove("8")

    said = await envoy.exchange("GET", "/volume/v3/volumes/detail?limit=3&marker=5")

    assert [volume["id"] for volume in said.json["volumes"]] == ["2", "1"]


@pytest.mark.parametrize(
    ("order", "behind"),
    [("sort_key=created_at&sort_dir=asc", ["c"]), ("sort_key=display_name&sort_dir=asc", ["c"])],
)
async def test_what_was_made_since_behind_a_marker_is_on_the_page_that_is_asked_for_again(
    order: str, behind: list[str]
) -> None:
    two = Nova([Server("b", 10, "b")])
    envoy = both(Nova([Server("a", 20, "c")]), two)
    page = f"/compute/v2.1/servers/detail?{order}&limit=2"
    first = await envoy.exchange("GET", page)
    marker = first.json["servers"][-1]["id"]
    two.servers.append(Server("c", 30, "d"))

    said = await envoy.exchange("GET", f"{page}&marker={marker}")

    assert [server["id"] for server in said.json["servers"]] == behind


def numbered(pod: Pod, number: int) -> Pod:
    return replace(pod, number=number)


def hypervisors(*numbers: int) -> Callable[[PodRequest], Answer]:
    def answer(request: PodRequest) -> Answer:
        query = dict(parse_qsl(urlsplit(request.path).query))
        rows = list(numbers)
        if marker := query.get("marker"):
            if int(marker) not in rows:
                return 400, {"badRequest": {"code": 400, "message": "marker"}}
            rows = rows[rows.index(int(marker)) + 1 :]
        page = [
            {"id": row, "hypervisor_hostname": f"h{row}"}
            for row in rows[: int(query.get("limit", 1000))]
        ]
        body: dict[str, Any] = {"hypervisors": page}
        if len(page) == int(query.get("limit", 1000)):
            body["hypervisors_links"] = [{"rel": "next", "href": "http://pod"}]
        return 200, body

    return answer


async def test_hypervisors_come_pod_after_pod_with_numbers_that_are_markers() -> None:
    view = View(
        Fleet.of([numbered(POD1, 1), numbered(POD2, 2)]), {"Pod1": facts(1), "Pod2": facts(2)}
    )
    envoy = of_pods(Pod1=hypervisors(5, 3), Pod2=hypervisors(5, 4))
    envoy.registry.view = view
    found: list[int] = []
    query = "limit=1"

    for _ in range(5):
        said = await envoy.exchange(
            "GET",
            f"/compute/v2.1/os-hypervisors?{query}",
            token="admin",
            openstack_api_version="compute 2.40",
        )
        page = [entry["id"] for entry in said.json["hypervisors"]]
        if not page:
            break
        found += page
        query = f"limit=1&marker={page[-1]}"

    assert found == [5 * 4096 + 1, 3 * 4096 + 1, 5 * 4096 + 2, 4 * 4096 + 2]


async def test_a_large_page_is_streamed_in_pieces() -> None:
    text = "x" * 2000
    one = Nova([Server(f"a{number:04}", number, name=text) for number in range(400)])

    said = await both(one, Nova([])).exchange("GET", "/compute/v2.1/servers/detail")

    assert not any(reply.HasField("immediate_response") for reply in said.replies)
    pieces = [
        reply.streamed_immediate_response.body_response.body
        for reply in said.replies
        if reply.streamed_immediate_response.HasField("body_response")
    ]
    assert len(json.loads(b"".join(pieces))["servers"]) == 400
    assert max(map(len, pieces)) < 512 * 1024


@pytest.mark.parametrize("failure", [None, (400, {"badRequest": {"message": "no marker"}})])
async def test_a_page_that_has_begun_ends_before_what_a_pod_does_not_give(failure: Answer) -> None:
    rows = [Server(f"{number:04}", 5000 - 10 * number, name="x" * 2000) for number in range(120)]
    one, two = Nova(rows[::20]), Nova([row for row in rows if row not in rows[::20]])
    dying = True

    def answer(request: PodRequest) -> Answer:
        return failure if dying and "marker" in request.path else two.answer(request)

    envoy = of_pods(Pod1=one.answer, Pod2=answer)
    cut = await envoy.exchange("GET", "/compute/v2.1/servers/detail?limit=100")
    [link] = cut.json["servers_links"]
    query = urlsplit(link["href"]).query
    lacking = await envoy.exchange("GET", f"/compute/v2.1/servers/detail?{query}")
    dying = False
    rest = await envoy.exchange("GET", f"/compute/v2.1/servers/detail?{query}")

    found = [server["id"] for server in [*cut.json["servers"], *rest.json["servers"]]]
    assert 50 < len(cut.json["servers"]) < 100
    assert found == [row.id for row in rows]
    assert "x-trio2o-missing" not in cut.headers
    assert lacking.status == 400 if failure else lacking.headers["x-trio2o-missing"] == "az2"


def ports(pod: str, count: int) -> list[dict[str, object]]:
    return [{"id": f"{number:04}-{pod}", "text": "x" * 1000} for number in range(count)]


def streamed(said: Said) -> bytes:
    """Put the pieces of a streamed answer together."""
    return b"".join(reply.streamed_immediate_response.body_response.body for reply in said.replies)


async def test_an_unlimited_list_is_whole_and_comes_in_pieces() -> None:
    one, two = ports("a", 300), ports("b", 300)
    envoy = of_pods(Pod1=(200, {"ports": one}), Pod2=(200, {"ports": two}))

    said = await envoy.exchange("GET", "/network/v2.0/ports")

    assert len(said.replies) > 3
    assert sorted(port["id"] for port in json.loads(streamed(said))["ports"]) == sorted(
        str(port["id"]) for port in [*one, *two]
    )


async def test_an_item_that_cannot_be_read_fails_the_list() -> None:
    envoy = of_pods(Pod1=(200, {"servers": [ONE.shown, 1]}), Pod2=(200, {"servers": [TWO.shown]}))

    said = await envoy.exchange("GET", "/compute/v2.1/servers/detail")

    assert said.status == 502


NO_LISTS = [
    b"",
    b"no JSON",
    b'{"servers": [{"id": "b", "created"',
    b'{"servers": {"id": "b"}}',
    b'{"servers": [1]}',
    b'{"servers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"servers": [{"id": "\xff"}]}',
]


@pytest.mark.parametrize("body", NO_LISTS, ids=range(len(NO_LISTS)))
async def test_a_pod_whose_answer_is_no_list_is_missing(body: bytes) -> None:
    envoy = of_pods(Pod1=(200, {"servers": [ONE.shown]}), Pod2=(200, body))

    said = await envoy.exchange("GET", "/compute/v2.1/servers/detail")

    assert [server["id"] for server in said.json["servers"]] == ["a"]
    assert said.headers["x-trio2o-missing"] == "az2"


async def test_where_no_pods_answer_is_a_list_the_gateway_has_none() -> None:
    envoy = of_pods(Pod1=(200, b"no JSON"), Pod2=None)

    said = await envoy.exchange("GET", "/compute/v2.1/servers/detail")

    assert said.status == 502


async def test_a_brief_list_is_refused_by_the_rule_for_brief_lists() -> None:
    def no(request: PodRequest) -> Answer:
        return 403, {"forbidden": {"message": request.path}}

    said = await of_pods(Pod1=no, Pod2=no).exchange("GET", "/compute/v2.1/servers?all_tenants=1")

    assert said.status == 403
    assert said.json["forbidden"]["message"] == "/v2.1/servers?all_tenants=1"


@pytest.mark.parametrize(
    "body",
    [b'{"server": ', b'{"server": "\xff"}', b"[" * 100_000 + b"]" * 100_000],
    ids=["cut", "no UTF-8", "deep"],
)
async def test_a_body_that_cannot_be_read_is_the_clients_fault(body: bytes) -> None:
    said = await of_pods().exchange("POST", "/compute/v2.1/servers", body)

    assert said.status == 400


async def test_volumes_of_a_type_are_found_in_all_pods() -> None:
    envoy = of_pods(Pod1=(200, {"volumes": []}), Pod2=(200, {"volumes": []}))
    gold = await envoy.cloud.copies.record("volume_type", "gold", {"Pod1": "1", "Pod2": "2"})

    await envoy.exchange("GET", f"/volume/v3/volumes?volume_type_id={gold}", token="admin")

    assert [told(envoy, pod)[0]["volume_type_id"] for pod in ("Pod1", "Pod2")] == [["1"], ["2"]]
