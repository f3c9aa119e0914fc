"""What a client wants of a list."""

from http import HTTPStatus
from urllib.parse import parse_qsl

import pytest

from control_plane.lists.inquiry import read, to_pod
from control_plane.model.errors import Refused
from control_plane.model.microversion import Microversion
from control_plane.services.cinder import VOLUME
from control_plane.services.listing import Paged
from control_plane.services.nova import COMPUTE
from control_plane.services.operation import SortKey
from control_plane.services.service import LinkForm, Paging

SERVER = COMPUTE.resources["server"]
NEWEST = SortKey("created", descending=True)
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


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "", "\N{ARABIC-INDIC DIGIT THREE}"])
def test_a_limit_that_is_no_count_is_a_bad_request(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read([("limit", text)], NOVA, SERVER)

    assert refused.value.status == HTTPStatus.BAD_REQUEST


def test_pods_of_nova_are_told_of_an_empty_marker() -> None:
    found = read([("marker", ""), ("name", "a")], COMPUTE.paging, SERVER)

    assert found.marker is None
    assert found.rest == (("name", "a"), ("marker", ""))
    assert parse_qsl(to_pod(found.rest, 2, "m"), keep_blank_values=True)[-1] == ("marker", "m")


def test_a_bad_limit_beside_a_good_one_is_a_bad_request() -> None:
    with pytest.raises(Refused):
        read([("limit", "2"), ("limit", "x")], NOVA, SERVER)


def test_of_a_parameter_that_is_given_twice_the_last_value_counts_in_nova() -> None:
    twice = [("limit", "2"), ("limit", "3"), ("marker", "a"), ("marker", "b")]

    found = read(twice, COMPUTE.paging, SERVER)

    assert (found.limit, found.marker) == (3, "b")


def test_a_sort_key_of_the_client_gets_the_tie_break_of_the_resource() -> None:
    found = read([("sort_key", "display_name"), ("sort_dir", "asc")], NOVA, SERVER)

    assert found.order == (SortKey("name"), SortKey("id"))


def test_pods_get_all_parameters_but_those_of_paging() -> None:
    parameters = [("name", "a b"), ("limit", "2"), ("marker", "m"), ("name", "c")]
    found = read(parameters, NOVA, SERVER)

    assert to_pod(found.rest, 10) == "name=a+b&name=c&limit=10"
    assert found.marker == "m"


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ([], (NEWEST, SortKey("id"))),
        ([("sort_dir", "asc")], (SortKey("created"), SortKey("id"))),
        ([("sort_key", "uuid")], (SortKey("id", descending=True),)),
        (
            [("sort_key", "vm_state"), ("sort_key", "display_name"), ("sort_dir", "asc")],
            (SortKey("OS-EXT-STS:vm_state"), SortKey("name"), SortKey("id")),
        ),
        (
            [("sort_key", "auto_disk_config"), ("sort_dir", "asc")],
            (SortKey("OS-DCF:diskConfig", descending=True), SortKey("id")),
        ),
        # Ignored below 2.75, and refused by pods from then on.
        ([("sort_key", "vcpus")], (NEWEST, SortKey("id"))),
        ([("sort_key", "vcpus"), ("sort_key", "uuid")], (SortKey("id", descending=True),)),
        # Nobody is shown it: pods come one after the other.
        ([("sort_key", "instance_type_id")], ()),
        ([("sort_key", "display_name"), ("sort_key", "locked_by")], ()),
    ],
)
def test_the_order_of_servers_is_that_of_nova(
    query: list[tuple[str, str]], order: tuple[SortKey, ...]
) -> None:
    assert read(query, NOVA, SERVER, Microversion(2, 60)).order == order


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", (("created_at", True), ("id", True))),
        ("sort=name:asc", (("name", False), ("created_at", False), ("id", False))),
        ("sort=size:desc,name", (("size", True), ("name", True), ("created_at", True))),
        ("sort=display_name:asc", (("name", False), ("created_at", False), ("id", False))),
        ("sort_key=id&sort_dir=asc", (("id", False), ("created_at", False))),
        ("sort_dir=asc", (("created_at", False), ("id", False))),
    ],
)
def test_all_keys_of_cinders_default_follow_those_asked_for(
    query: str, order: tuple[tuple[str, bool], ...]
) -> None:
    parameters = parse_qsl(query)

    found = read(parameters, VOLUME.paging, VOLUME.resources["volume"], Microversion(3, 60)).order

    assert tuple((key.field, key.descending) for key in found)[: len(order)] == order


@pytest.mark.parametrize(("version", "locked"), [("2.72", False), ("2.73", True)])
def test_a_key_is_ignored_below_its_version(version: str, locked: bool) -> None:  # noqa: FBT001
    query = [("sort_key", "locked"), ("sort_key", "uuid")]

    found = read(query, NOVA, SERVER, Microversion.parse(version)).order

    assert (SortKey("locked", descending=True) in found) is locked


@pytest.mark.parametrize(
    ("resource", "version", "paged"),
    [
        ("keypair", "2.34", Paged.NONE),
        ("keypair", "2.35", Paged.MARKER),
        ("hypervisor", "2.32", Paged.NONE),
        ("hypervisor", "2.33", Paged.MARKER),
        ("migration", "2.58", Paged.NONE),
        ("migration", "2.59", Paged.MARKER),
        ("server_group", "2.1", Paged.OFFSET),
        ("aggregate", "2.1", Paged.NONE),
        ("nova_service", "2.90", Paged.NONE),
    ],
)
def test_lists_are_paged_from_their_version_on(resource: str, version: str, paged: Paged) -> None:
    parameters = [("limit", "2"), ("marker", "m")]

    found = read(parameters, NOVA, COMPUTE.resources[resource], Microversion.parse(version))

    assert found.paged is paged
    assert (found.rest == tuple(parameters)) is (paged is Paged.NONE)


@pytest.mark.parametrize(("version", "descending"), [("3.58", False), ("3.59", True)])
def test_transfers_are_upward_below_their_paging(version: str, descending: bool) -> None:  # noqa: FBT001
    found = read([], VOLUME.paging, VOLUME.resources["transfer"], Microversion.parse(version))

    assert [key.descending for key in found.order] == [descending, descending]


def test_a_limit_of_zero_is_none_where_lists_are_cut_by_offset() -> None:
    found = read([("limit", "0"), ("offset", "3")], NOVA, COMPUTE.resources["server_group"])

    assert (found.limit, found.offset) == (1000, 3)
