import pytest

from control_plane.model.microversion import Microversion
from control_plane.services.operation import (
    NOT_YET,
    Kind,
    Ref,
    Resource,
    aggregate,
    broadcast,
    computed,
    cross,
    route,
    schedule,
    single,
    static,
)


def test_row_has_the_handler_of_its_kind() -> None:
    assert route("GET", "/x").handler == "route"
    assert cross("PUT", "/x").handler == "route"
    assert schedule("POST", "/x").handler == "schedule"
    assert aggregate("GET", "/x", "thing").handler == "aggregate"
    assert single("GET", "/x").handler == "single"


@pytest.mark.parametrize("make", [broadcast, computed, static])
def test_row_of_other_kinds_is_not_handled_unless_it_says_so(make: type) -> None:
    assert not make("GET", "/x").handled
    assert make("GET", "/x", handler="zones").handled


def test_not_yet_takes_a_handler_away() -> None:
    row = route("GET", "/x", handler=NOT_YET)

    assert not row.handled


def test_bounds_are_read_as_microversions() -> None:
    row = route("GET DELETE", "/x", since="2.9", until="2.35")

    assert row.methods == ("GET", "DELETE")
    assert (row.since, row.until) == (Microversion(2, 9), Microversion(2, 35))


def test_list_names_what_it_lists() -> None:
    row = aggregate("GET", "/x", "thing")

    assert (row.kind, row.answer) == (Kind.AGGREGATE, "thing")


def test_scheduled_row_creates() -> None:
    assert schedule("POST", "/x").creates


def test_body_is_read_only_for_what_stands_in_it() -> None:
    here = Ref("volume", "backup.volume_id")
    query = Ref("volume", "?volume_id")

    assert route("POST", "/x", owner=here).reads_body
    assert route("POST", "/x/{y}", zone="y.availability_zone").reads_body
    assert cross("POST", "/x/{y}", same_pod=(here,)).reads_body
    assert schedule("POST", "/x").reads_body
    assert broadcast("POST", "/x", handler="broadcast").reads_body
    assert not route("POST", "/x", owner=query).reads_body
    assert not route("POST", "/x/{y}").reads_body
    assert not broadcast("PUT", "/x/{y}", handler="route").reads_body


def test_resource_names_its_keys() -> None:
    plain = Resource("volume", "volumes")
    odd = Resource("qos_policy", "policies", singular="policy", links=None)
    named = Resource("group", "groups", links="group_links")

    assert (plain.key, plain.links_key) == ("volume", "volumes_links")
    assert (odd.key, odd.links_key) == ("policy", None)
    assert named.links_key == "group_links"
