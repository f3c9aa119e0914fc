"""What Neutron's lists have beside others': fields that callers choose, pages read backward."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.handlers.neutron import Neutron
from tests.processor.envoy import Envoy, Said

NETWORKS = [{"id": f"n{number}", "name": f"{9 - number}", "status": "UP"} for number in range(6)]


def before(*pods: Neutron) -> Envoy:
    named = {f"Pod{number}": pod for number, pod in enumerate(pods, 1)}
    return Envoy(lambda pod, request: named[pod.name].answer(request))


@pytest.fixture
def envoy() -> Envoy:
    """Two pods that have every other network."""
    return before(Neutron(*NETWORKS[::2]), Neutron(*NETWORKS[1::2]))


async def listed(envoy: Envoy, query: str) -> Said:
    said = await envoy.exchange("GET", f"/network/v2.0/networks?{query}")
    assert said.status == 200
    return said


def names(said: Said) -> list[Any]:
    return [network.get("name") for network in said.json["networks"]]


async def test_no_network_is_missing_where_ids_are_not_asked_for(envoy: Envoy) -> None:
    said = await listed(envoy, "fields=name")

    assert said.json["networks"] == [{"name": network["name"]} for network in NETWORKS]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields=name&sort_key=name&sort_dir=asc", [{"name": f"{name}"} for name in range(4, 10)]),
        ("fields=id&sort_key=name&sort_dir=asc", [{"id": f"n{n}"} for n in range(5, -1, -1)]),
        ("fields=odd", [{}] * 6),
        ("fields=", [{}] * 6),
    ],
)
async def test_nothing_is_shown_that_was_not_asked_for(
    envoy: Envoy, query: str, expected: list[dict[str, str]]
) -> None:
    assert (await listed(envoy, query)).json["networks"] == expected


async def test_a_list_of_names_has_pages(envoy: Envoy) -> None:
    first = await listed(envoy, "fields=name&limit=4")
    second = await listed(envoy, "fields=name&limit=4&marker=n3")

    assert names(first) + names(second) == [network["name"] for network in NETWORKS]
    assert "marker=n3" in first.json["networks_links"][0]["href"]


def ids(said: Said) -> list[str]:
    return [network["id"] for network in said.json["networks"]]


def links(said: Said) -> dict[str, str]:
    found = {link["rel"]: link["href"] for link in said.json.get("networks_links", [])}
    return {rel: urlsplit(href).query for rel, href in found.items()}


@pytest.mark.parametrize("order", ["", "&sort_key=status&sort_dir=desc", "&fields=name"])
async def test_pages_are_read_backward_as_they_were_read_forward(envoy: Envoy, order: str) -> None:
    forward, query = [], f"limit=2{order}"
    for _ in range(3):
        said = await listed(envoy, query)
        forward.append(said.json["networks"])
        query = links(said)["next"]
    backward = [said.json["networks"]]
    for _ in range(2):
        said = await listed(envoy, links(said)["previous"])
        backward.append(said.json["networks"])

    assert backward[::-1] == forward
    assert [item["name"] for page in forward for item in page] == [
        item["name"] for item in NETWORKS
    ]


async def test_the_page_before_none_is_the_last_one(envoy: Envoy) -> None:
    said = await listed(envoy, "limit=2&page_reverse=TRUE")

    assert ids(said) == ["n4", "n5"]
    assert links(said) == {
        "next": "limit=2&marker=n5",
        "previous": "limit=2&marker=n4&page_reverse=True",
    }


async def test_a_link_leads_back_where_the_client_came_from(envoy: Envoy) -> None:
    first = await listed(envoy, "limit=4")
    last = await listed(envoy, "limit=4&marker=n3&page_reverse=no")
    before = await listed(envoy, "limit=4&marker=n2&page_reverse=True")
    nothing = await listed(envoy, "limit=4&marker=n5")

    assert links(first)["previous"] == "limit=4&marker=n0&page_reverse=True"
    assert links(last) == {"previous": "limit=4&marker=n4&page_reverse=True"}
    assert links(before) == {"next": "limit=4&marker=n1"}
    assert (ids(nothing), links(nothing)) == ([], {"previous": "limit=4&page_reverse=True"})


async def test_without_a_limit_there_are_no_pages(envoy: Envoy) -> None:
    behind = await listed(envoy, "marker=n3")
    backward = await listed(envoy, "page_reverse=True")

    assert ids(behind) == [network["id"] for network in NETWORKS]
    assert ids(backward) == ids(behind)[::-1]
    assert links(behind) == links(backward) == {}


@pytest.mark.parametrize("path", ["/volume/v3/volumes", "/image/v2/images"])
async def test_elsewhere_it_is_a_filter_for_pods_to_judge(path: str) -> None:
    envoy = Envoy(lambda _pod, _request: (400, {"badRequest": {"code": 400, "message": "odd"}}))

    said = await envoy.exchange("GET", f"{path}?page_reverse=True")

    assert said.status == 400
    assert all("page_reverse=True" in request.path for _, request in envoy.pods.asked)
