"""The body of a merged page."""

import json

from control_plane.lists.answer import FIRST, next_query, write
from control_plane.services.operation import Resource
from control_plane.services.service import LinkForm

SERVER = Resource("server", "servers")


def test_a_page_has_items_link_and_count() -> None:
    pieces = list(
        write(SERVER, [b'{"id": 1}', b"{}"], LinkForm.LINKS, lambda: "http://next", "/p", 7)
    )

    assert len(pieces) == 1
    assert json.loads(pieces[0]) == {
        "servers": [{"id": 1}, {}],
        "servers_links": [{"rel": "next", "href": "http://next"}],
        "count": 7,
    }


def test_an_empty_page_has_no_link() -> None:
    [piece] = write(SERVER, [], LinkForm.LINKS, lambda: None, "/p", None)

    assert json.loads(piece) == {"servers": []}


def test_a_large_page_comes_in_pieces_and_items_are_taken_as_they_are_written() -> None:
    item = json.dumps({"text": "x" * 1000}).encode()
    taken = 0

    def items() -> object:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield item

    pieces = write(SERVER, items(), LinkForm.LINKS, lambda: None, "/p", None)  # type: ignore[arg-type]
    first = next(pieces)

    assert FIRST <= len(first) <= FIRST + len(item) + 2
    assert taken < 100
    assert len(json.loads(first + b"".join(pieces))["servers"]) == 1000


def test_a_link_repeats_all_parameters_sorted_by_name_with_the_new_marker() -> None:
    parameters = [("sort_key", "b"), ("marker", "old"), ("limit", "2"), ("sort_key", "a")]

    assert next_query(parameters, "new") == "limit=2&marker=new&sort_key=b&sort_key=a"
