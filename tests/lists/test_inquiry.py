"""What a client wants of a list."""

from http import HTTPStatus

import pytest

from control_plane.lists.inquiry import read
from control_plane.model.errors import Refused
from control_plane.services.operation import Resource, SortKey
from control_plane.services.service import LinkForm, Paging

SERVER = Resource("server", "servers", order=(SortKey("created", descending=True), SortKey("id")))
NOVA = Paging(1000, 1000, LinkForm.LINKS, HTTPStatus.BAD_REQUEST)
NEUTRON = Paging(None, None, LinkForm.LINKS, HTTPStatus.NOT_FOUND, zero_is_all=True)


@pytest.mark.parametrize(
    ("paging", "asked", "limit"),
    [
        (NOVA, None, 1000),
        (NOVA, "7", 7),
        (NOVA, "5000", 1000),
        (NOVA, "0", 0),
        (NEUTRON, None, None),
        (NEUTRON, "0", None),
        (NEUTRON, "5000", 5000),
    ],
)
def test_the_limit_follows_the_rules_of_the_service(
    paging: Paging, asked: str | None, limit: int | None
) -> None:
    parameters = [("limit", asked)] if asked is not None else []

    assert read(parameters, paging, SERVER).limit == limit


@pytest.mark.parametrize("text", ["-1", "x", "1.5", ""])
def test_a_limit_that_is_no_count_is_a_bad_request(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read([("limit", text)], NOVA, SERVER)

    assert refused.value.status == HTTPStatus.BAD_REQUEST


def test_a_sort_key_of_the_client_gets_the_tie_break_of_the_resource() -> None:
    found = read([("sort_key", "display_name"), ("sort_dir", "asc")], NOVA, SERVER)

    assert found.order == (SortKey("name"), SortKey("id"))


def test_pods_get_all_parameters_but_those_of_paging() -> None:
    parameters = [("name", "a b"), ("limit", "2"), ("marker", "m"), ("name", "c")]
    found = read(parameters, NOVA, SERVER)

    assert found.to_pod(10, None) == "name=a+b&name=c&limit=10"
    assert found.marker == "m"
