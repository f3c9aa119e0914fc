"""What pods say of themselves."""

import json

import pytest

from control_plane.model.microversion import Microversion, MicroversionRange, shared_range
from control_plane.pods.facts import ranges_from_json, ranges_to_json, version_range


def entry(lowest: str, highest: str, key: str = "version") -> dict[str, str]:
    return {"id": "v", "min_version": lowest, key: highest}


def test_nova_lists_an_old_version_without_numbers_beside_the_present_one() -> None:
    body = json.dumps({"versions": [entry("", ""), entry("2.1", "2.96")]}).encode()

    assert version_range(body) == MicroversionRange(Microversion(2, 1), Microversion(2, 96))


def test_placement_calls_the_highest_version_by_another_name() -> None:
    body = json.dumps({"versions": [entry("1.0", "1.39", "max_version")]}).encode()

    assert version_range(body) == MicroversionRange(Microversion(1, 0), Microversion(1, 39))


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"versions": [1]}', b'{"versions": 1}'])
def test_what_names_no_versions_is_none(body: bytes) -> None:
    assert version_range(body) is None


def test_the_range_offered_is_what_all_pods_share() -> None:
    old = MicroversionRange(Microversion(2, 1), Microversion(2, 79))
    new = MicroversionRange(Microversion(2, 10), Microversion(2, 100))

    assert shared_range([old, new]) == MicroversionRange(Microversion(2, 10), Microversion(2, 79))
    assert shared_range([]) is None
    newer = MicroversionRange(Microversion(2, 90), Microversion(2, 100))
    assert shared_range([old, newer]) is None


def test_ranges_survive_the_store() -> None:
    ranges = {"compute": MicroversionRange(Microversion(2, 1), Microversion(2, 96))}

    assert ranges_from_json(json.loads(json.dumps(ranges_to_json(ranges)))) == ranges
    assert ranges_from_json({"compute": ["2.x", "2.96"], "volume": 1}) == {}
