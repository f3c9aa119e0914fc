from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.services.catalog import SERVICES
from control_plane.services.reference import (
    _compiled,
    _leads_nowhere,
    _slots,
    references,
    replace,
)
from control_plane.services.server_actions import SERVER_ACTIONS
from control_plane.services.volume_actions import VOLUME_ACTIONS

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "c", "server", "volume", "port", "uuid"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)

PATHS = sorted(
    {
        ref.path
        for service in SERVICES
        for row in service.operations
        for ref in (*row.pins, *row.copies, *row.same_pod, *((row.owner,) if row.owner else ()))
    }
    | {row.zone for service in SERVICES for row in service.operations if row.zone}
    | {
        ref.path
        for action in (*SERVER_ACTIONS.values(), *VOLUME_ACTIONS.values())
        for ref in (*action.copies, *action.same_pod)
    }
    | {"a", "a.b", "a[].b", "a[b=c].a", "a|b.c", "a[]", "a[,]", "a[base64].b"}
)


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ({"a": {"b": "1"}}, "a.b", ["1"]),
        ({"a": {"b": 7}}, "a.b", ["7"]),
        ({"a": {"b": ["1", "2"]}}, "a.b", ["1", "2"]),
        ({"a": [{"b": "1"}, {"c": "2"}, {"b": "3"}]}, "a[].b", ["1", "3"]),
        ({"a": ["1", "2"]}, "a[]", ["1", "2"]),
        ({"x": {"g": "1"}}, "x|y.g", ["1"]),
        ({"y": {"g": "1"}}, "x|y.g", ["1"]),
        ({"p": {"n": "1"}}, "p|ps[].n", ["1"]),
        ({"ps": [{"n": "1"}, {"n": "2"}]}, "p|ps[].n", ["1", "2"]),
        ({"a": {"x": "1"}}, "a.x|y", ["1"]),
        ({"a": {"b": "1, 2,,3,"}}, "a.b[,]", ["1", "2", "3"]),
        ({"a": {"b": ""}}, "a.b[,]", []),
        ({"a": {"b": ["1"]}}, "a.b[,]", []),
        ({"a": {"b": "eyJpZCI6ICI3In0="}}, "a.b[base64].id", ["7"]),
        ({"a": {"b": "no base64"}}, "a.b[base64].id", []),
        ({"a": {"b": "bm8ganNvbg=="}}, "a.b[base64].id", []),
        ({"a": {"b": 7}}, "a.b[base64].id", []),
    ],
)
def test_path_points_to_texts(body: Any, path: str, found: list[str]) -> None:
    assert list(references(body, path)) == found


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"a": {"b": None}}, "a.b"),
        ({"a": {"b": ""}}, "a.b"),
        ({"a": {"b": True}}, "a.b"),
        ({"a": {"b": {"c": "1"}}}, "a.b"),
        ({"a": "text"}, "a.b"),
        ({"a": [{"b": "1"}]}, "a.b"),
        ({"a": {"b": "1"}}, "a[].b"),
        ({"a": "1"}, "a[]"),
        ([{"a": "1"}], "a"),
        (None, "a"),
    ],
)
def test_another_shape_is_no_match(body: Any, path: str) -> None:
    assert list(references(body, path)) == []


def test_filter_picks_items_of_a_list() -> None:
    body = {
        "server": {
            "block_device_mapping_v2": [
                {"source_type": "volume", "uuid": "v"},
                {"source_type": "image", "uuid": "i"},
                {"source_type": "snapshot", "uuid": "s"},
                {"uuid": "none"},
                "odd",
            ]
        }
    }
    path = "server.block_device_mapping_v2[source_type=volume,snapshot].uuid"

    assert list(references(body, path)) == ["v", "s"]


def test_filter_picks_an_object() -> None:
    body = {"rbac_policy": {"object_type": "network", "object_id": "n"}}

    assert list(references(body, "rbac_policy[object_type=network].object_id")) == ["n"]
    assert list(references(body, "rbac_policy[object_type=qos_policy].object_id")) == []


def test_hints_have_two_names() -> None:
    path = "os:scheduler_hints|OS-SCH-HNT:scheduler_hints.same_host"

    assert list(references({"os:scheduler_hints": {"same_host": "s"}}, path)) == ["s"]
    assert list(references({"OS-SCH-HNT:scheduler_hints": {"same_host": ["s", "t"]}}, path)) == [
        "s",
        "t",
    ]


def test_texts_are_replaced_in_place() -> None:
    body = {"a": [{"b": "1"}, {"b": "2"}, {"b": ["1"]}]}

    changed = replace(body, "a[].b", {"1": "one"})

    assert changed == 2
    assert body == {"a": [{"b": "one"}, {"b": "2"}, {"b": ["one"]}]}


def test_nothing_takes_the_field_away() -> None:
    body = {"server": {"name": "x", "availability_zone": "az1"}}

    changed = replace(body, "server.availability_zone", lambda _: None)

    assert changed == 1
    assert body == {"server": {"name": "x"}}


def test_nothing_takes_items_of_a_list_away() -> None:
    body = {"a": ["1", "2", "1", "3"]}

    replace(body, "a", lambda old: None if old == "1" else old)

    assert body == {"a": ["2", "3"]}


def test_parts_of_a_text_are_replaced_and_taken_away() -> None:
    body = {"group": {"add_volumes": "1,2, 3"}}

    replace(body, "group.add_volumes[,]", {"1": "one", "3": "three"})
    assert body == {"group": {"add_volumes": "one,2,three"}}

    replace(body, "group.add_volumes[,]", lambda old: None if old == "2" else old)
    assert body == {"group": {"add_volumes": "one,three"}}


@given(json_values, st.sampled_from(PATHS))
def test_no_body_raises(body: Any, path: str) -> None:
    assert all(isinstance(found, str) and found for found in references(body, path))


@given(json_values, st.sampled_from(PATHS))
def test_what_is_replaced_is_what_was_found(body: Any, path: str) -> None:
    found = list(references(body, path))

    changed = replace(body, path, lambda old: f"{old}!")

    assert changed == len(found)
    assert list(references(body, path)) == [f"{old}!" for old in found]


@given(json_values, st.sampled_from(PATHS))
def test_what_is_taken_away_is_gone(body: Any, path: str) -> None:
    replace(body, path, lambda _: None)

    assert list(references(body, path)) == []


@given(
    json_values, st.sampled_from([*PATHS, "a.b|c", "a[].b", "a[b=c].uuid", "a[,]", "a[base64].b"])
)
def test_where_a_path_is_said_to_lead_nowhere_there_is_nothing(body: Any, path: str) -> None:
    steps = _compiled(path)

    if _leads_nowhere(body, steps):
        assert list(_slots(body, steps)) == []
