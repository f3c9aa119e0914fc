"""The body of a merged page."""

import json
from collections.abc import Iterator

import pytest

from control_plane.lists.answer import FIRST, Body, next_query, opening
from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

SERVER = Resource("server", "servers")


def test_a_page_has_items_link_and_count() -> None:
    body = Body()

    assert list(body.fill([b'{"id": 1}', b"{}"])) == []
    end = body.end(SERVER, LinkForm.LINKS, "http://next", "/p", 7)
    assert json.loads(opening(SERVER, [b'{"id": 0}'], more=True) + end) == {
        "servers": [{"id": 0}, {"id": 1}, {}],
        "servers_links": [{"rel": "next", "href": "http://next"}],
        "count": 7,
    }


@pytest.mark.parametrize("before", [[], [b"{}"]])
def test_an_empty_page_has_no_link(before: list[bytes]) -> None:
    end = Body().end(SERVER, LinkForm.LINKS, None, "/p", None)

    page = json.loads(opening(SERVER, before, more=False) + end)

    assert page == {"servers": [{} for _ in before]}


def test_a_large_page_comes_in_pieces_and_items_are_taken_as_they_are_written() -> None:
    item = json.dumps({"text": "x" * 1000}).encode()
    body, taken = Body(), 0

    def items(count: int) -> Iterator[bytes]:
        nonlocal taken
        for _ in range(count):
            taken += 1
            yield item

    pieces = body.fill(items(500))
    first = next(pieces)

    assert FIRST <= len(first) <= FIRST + 2 * len(item)
    assert taken < 100
    whole = [opening(SERVER, [], more=True), first, *pieces, *body.fill(items(500))]
    whole.append(body.end(SERVER, LinkForm.LINKS, None, "/p", None))
    assert len(json.loads(b"".join(whole))["servers"]) == 1000


def test_a_link_repeats_all_parameters_sorted_by_name_with_the_new_marker() -> None:
    parameters = [("sort_key", "b"), ("marker", "old"), ("limit", "2"), ("sort_key", "a")]

    assert next_query(parameters, "new") == "limit=2&marker=new&sort_key=b&sort_key=a"
