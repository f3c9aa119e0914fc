"""Pages of pods, read without decoding the items."""

import json

import msgspec
import pytest

from control_plane.lists.page import MalformedPage, Reader, decode, reduce
from control_plane.services.operation import Resource, SortKey

SERVER = Resource("server", "servers", order=(SortKey("created", descending=True), SortKey("id")))
KEYPAIR = Resource(
    "keypair",
    "keypairs",
    identity="name",
    merge_by="name",
    item_key="keypair",
    order=(SortKey("name"),),
    replicated=True,
)


def test_items_keep_every_byte() -> None:
    item = '{"id":"a",  "created":null, "metadata":{"price":1.50,"name":"\\u00e4"}}'
    page = decode(b'{"servers": [' + item.encode() + b"]}", SERVER, SERVER.order)

    assert [entry.raw for entry in page.items] == [item.encode()]
    assert page.more is False


def test_wrapped_items_are_known_by_what_is_inside() -> None:
    body = json.dumps({"keypairs": [{"keypair": {"name": "k1"}}, {"keypair": {"name": "k2"}}]})
    page = decode(body.encode(), KEYPAIR, KEYPAIR.order)

    assert [entry.identity for entry in page.items] == ["k1", "k2"]


@pytest.mark.parametrize(
    "document",
    [
        {"servers": [], "servers_links": [{"rel": "next", "href": "x"}]},
        {"servers": [], "next": "/v2/images?marker=x"},
    ],
)
def test_both_forms_of_a_next_link_are_understood(document: object) -> None:
    assert decode(json.dumps(document).encode(), SERVER, SERVER.order).more is True


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"servers": 1}', b'{"servers": [1]}'])
def test_what_is_no_list_is_said_to_be_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPage):
        decode(body, SERVER, SERVER.order)


def test_reducing_keeps_only_the_named_fields() -> None:
    raw = b'{"id": "a", "name": "n", "links": [], "status": "ACTIVE"}'

    assert json.loads(reduce(raw, ("id", "name", "links"))) == {"id": "a", "name": "n", "links": []}


ZONED = b'{"servers": [{"id": "a", "zone": "nova", "host": null}, {"id": "b"}]}'


def test_fields_that_are_to_be_changed_are_kept_as_they_stand() -> None:
    page = Reader(SERVER, (), None, ("zone", "host")).page(ZONED)

    kept = [
        tuple(None if value is msgspec.UNSET else bytes(value) for value in item.kept)
        for item in page.items
    ]
    assert kept == [(b'"nova"', b"null"), (None, None)]


def test_nothing_is_kept_where_a_field_is_also_sorted_by() -> None:
    page = Reader(SERVER, (SortKey("zone"),), None, ("zone", "host")).page(ZONED)

    assert [item.kept for item in page.items] == [(), ()]
