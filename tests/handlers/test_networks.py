"""What Neutron's lists have beside those of others: fields that callers choose."""

from typing import Any

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
