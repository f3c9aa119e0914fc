"""The comparison that the other tests of this folder rest on."""

from typing import Any

import pytest

from tests.contract.shape import Shape, differences


@pytest.mark.parametrize(
    ("found", "wanted", "told"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": "1"}, {"a": 2}, ["answer.a: string, not integer"]),
        ({"a": True}, {"a": 1}, ["answer.a: boolean, not integer"]),
        ({}, {"a": 2}, ["answer.a: missing"]),
        ({"a": 1, "b": 1}, {"a": 1}, ["answer.b: not in the pod's answer"]),
        ({"a": None}, {"a": 1}, []),
        ({"a": 1}, {"a": None}, []),
        ({"a": [1]}, {"a": []}, []),
        ({"a": []}, {"a": [1]}, ["answer.a: empty"]),
        ({"a": {}}, {"a": []}, ["answer.a: object, not array"]),
        ({"a": [{"x": 1}]}, {"a": [{"x": 1}, {"x": 1, "y": 1}]}, []),
        ({"a": [{"x": 1}, {}]}, {"a": [{"x": 1}]}, ["answer.a[].x: missing"]),
        (
            {"hosts": {"one": {"x": 1}}},
            {"hosts": {"two": {"x": ""}}},
            ["answer.hosts[].x: integer, not string"],
        ),
    ],
)
def test_tells_every_difference(found: Any, wanted: Any, told: list[str]) -> None:
    assert list(differences(Shape().add(found), Shape().add(wanted))) == told
