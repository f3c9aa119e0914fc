"""Usage of projects over pods: totals, and pages that count servers."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.handlers.two_pods import Answer, asked, envoy
from tests.processor.envoy import Envoy

PATH = "/compute/v2.1/os-simple-tenant-usage"
#: The servers of each pod with their projects, in the pod's order.
SERVERS = {"Pod1": [("p", "a"), ("p", "b"), ("q", "c")], "Pod2": [("p", "d"), ("r", "e")]}


def pods(*, maximum: int = 1000) -> Envoy:
    """Make pods that page as Nova does, with at most `maximum` servers a page."""

    def script(pod: Pod, request: PodRequest) -> Answer:
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        one = url.path.removeprefix("/v2.1/os-simple-tenant-usage").strip("/")
        rows = [row for row in SERVERS[pod.name] if one in ("", row[0])]
        if "marker" in query:
            names = [name for _, name in rows]
            if query["marker"] not in names:
                message = f"Marker {query['marker']} could not be found."
                return 400, {"badRequest": {"code": 400, "message": message}}
            rows = rows[names.index(query["marker"]) + 1 :]
        limit = min(int(query.get("limit", maximum)), maximum)
        rows = rows[:limit]
        usages: dict[str, Any] = {}
        for project, name in rows:
            entry = usages.setdefault(
                project, {"tenant_id": project, "server_usages": [], "total_hours": 0.0}
            )
            entry["total_hours"] += 1.5
            entry["server_usages"].append({"instance_id": name})
        if query.get("detailed") != "1" and not one:
            for entry in usages.values():
                del entry["server_usages"]
        more = len(rows) == limit
        if one:
            links = {"tenant_usage_links": [{"rel": "next"}]} if more else {}
            return 200, {"tenant_usage": next(iter(usages.values()), {}), **links}
        links = {"tenant_usages_links": [{"rel": "next"}]} if more else {}
        return 200, {"tenant_usages": list(usages.values()), **links}

    return envoy(script)


async def read(at: Envoy, query: str = "", version: str = "2.40") -> Any:
    said = await at.exchange(
        "GET", f"{PATH}{query}", token="admin", openstack_api_version=f"compute {version}"
    )
    assert said.status == 200, said.json
    return said.json


def servers(page: Any) -> list[str]:
    return [
        server["instance_id"]
        for entry in page["tenant_usages"]
        for server in entry["server_usages"]
    ]


async def test_entries_of_one_project_are_added_up() -> None:
    page = await read(pods())

    assert page == {
        "tenant_usages": [
            {"tenant_id": "p", "total_hours": 4.5},
            {"tenant_id": "q", "total_hours": 1.5},
            {"tenant_id": "r", "total_hours": 1.5},
        ]
    }


async def test_servers_are_shown_where_they_are_asked_for() -> None:
    page = await read(pods(), "?detailed=1")

    assert servers(page) == ["a", "b", "d", "c", "e"]


async def test_pages_count_servers_and_lead_to_each_once() -> None:
    at, query, seen, pages = pods(), "?detailed=1&limit=2", [], 0
    while query:
        page = await read(at, query)
        seen += servers(page)
        pages += 1
        [link] = page.get("tenant_usages_links") or [None]
        query = f"?{urlsplit(link['href']).query}" if link else ""
        if link:
            assert link["href"].startswith(f"http://gateway:8080{PATH}?detailed=1&limit=2&marker=")

    assert seen == ["a", "b", "c", "d", "e"]
    assert pages == 3


async def test_a_page_of_a_full_pod_takes_the_rest_from_the_next() -> None:
    page = await read(pods(), "?detailed=1&limit=4")

    assert sorted(servers(page)) == ["a", "b", "c", "d"]
    assert page["tenant_usages_links"][0]["href"].endswith("limit=4&marker=d")


async def test_a_pod_that_gives_less_at_once_is_asked_again() -> None:
    page = await read(pods(maximum=1), "?detailed=1&limit=4")

    assert sorted(servers(page)) == ["a", "b", "c", "d"]


async def test_a_marker_of_no_pod_is_refused_in_a_pods_words() -> None:
    said = await pods().exchange(
        "GET", f"{PATH}?marker=zz", token="admin", openstack_api_version="compute 2.40"
    )

    assert said.status == 400
    assert said.json["badRequest"]["message"] == "Marker zz could not be found."


async def test_below_its_version_a_limit_means_nothing() -> None:
    at = pods()

    page = await read(at, "?limit=1", version="2.39")

    assert [entry["tenant_id"] for entry in page["tenant_usages"]] == ["p", "q", "r"]
    assert "tenant_usages_links" not in page
    assert all("limit" not in path for _, path in asked(at, "Pod1"))


async def test_one_projects_usage_is_of_all_pods() -> None:
    page = await read(pods(), "/p")

    assert page == {
        "tenant_usage": {
            "tenant_id": "p",
            "total_hours": 4.5,
            "server_usages": [{"instance_id": name} for name in ("a", "b", "d")],
        }
    }


async def test_one_projects_page_links_to_the_next() -> None:
    page = await read(pods(), "/p?limit=2")

    assert [entry["instance_id"] for entry in page["tenant_usage"]["server_usages"]] == ["a", "b"]
    [link] = page["tenant_usage_links"]
    assert link == {"rel": "next", "href": f"http://gateway:8080{PATH}/p?limit=2&marker=b"}


async def test_a_project_without_servers_has_no_usage() -> None:
    assert await read(pods(), "/nobody") == {"tenant_usage": {}}


async def test_the_usage_of_one_project_is_asked_for_as_the_client_asks() -> None:
    at = pods()

    await read(at, "/p?detailed=1")
    await read(at, "/p")

    queries = [urlsplit(path).query for _, path in asked(at, "Pod1")]
    assert [parse_qs(query).get("detailed") for query in queries] == [["1"], None]
