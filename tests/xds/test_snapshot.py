import pytest

from control_plane.xds.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource
from control_plane.xds.snapshot import InconsistentSnapshot, Snapshot
from tests.xds.resources import resource, snapshot


def test_versions_follow_content_and_not_order() -> None:
    first = Snapshot.of([resource(CLUSTER, "a"), resource(CLUSTER, "b")])
    second = Snapshot.of([resource(CLUSTER, "b"), resource(CLUSTER, "a")])

    assert first.versions == second.versions


def test_a_change_of_one_type_leaves_the_versions_of_the_others() -> None:
    before, after = snapshot("a"), snapshot("a", "b=2")

    changed = {url for url in before.versions if before.versions[url] != after.versions[url]}

    assert changed == {CLUSTER, ENDPOINT}


def test_two_resources_of_one_name_are_refused() -> None:
    with pytest.raises(InconsistentSnapshot, match="two resources named 'a'"):
        Snapshot.of([resource(CLUSTER, "a"), resource(CLUSTER, "a", "2")])


def test_a_reference_that_leads_nowhere_is_named() -> None:
    listener = Resource(LISTENER, "ingress", b"", "1", frozenset({(ROUTE, "ingress")}))

    with pytest.raises(InconsistentSnapshot, match=r"ingress -> ingress \(RouteConfiguration\)"):
        Snapshot.of([listener]).check()

    Snapshot.of([listener, resource(ROUTE, "ingress")]).check()


def test_what_took_the_place_of_others_counts_as_if_it_had_always_been_there() -> None:
    before = snapshot("a", "b")

    after = before.replacing([resource(CLUSTER, "b")], [resource(CLUSTER, "b", "2")])

    direct = Snapshot.of(
        found for named in snapshot("a", "b=2").resources.values() for found in named.values()
    )
    assert after.versions == direct.versions
    assert after.differences(before)[CLUSTER] == {"b"}
    assert before.of_type(CLUSTER)["b"].version == "1"


def test_a_resource_gone_while_another_that_did_not_change_needs_it_is_noticed() -> None:
    listener = Resource(LISTENER, "ingress", b"", "1", frozenset({(ROUTE, "ingress")}))
    route = resource(ROUTE, "ingress")
    before = Snapshot.of([listener, route])

    after = before.replacing([route], [])

    with pytest.raises(InconsistentSnapshot, match="ingress -> ingress"):
        after.check(after.differences(before))


def test_an_unknown_type_has_no_resources() -> None:
    assert snapshot("a").of_type("type.googleapis.com/unknown") == {}


def test_what_differs_from_the_one_before_the_last_is_found_too() -> None:
    first = snapshot("a", "b", "c")
    second = first.replacing([resource(CLUSTER, "b")], [resource(CLUSTER, "b", "2")])
    third = second.replacing([resource(CLUSTER, "c")], [])

    assert third.differences(second)[CLUSTER] == {"c"}
    assert third.differences(first)[CLUSTER] == {"b", "c"}
    assert third.differences(None)[CLUSTER] == {"a", "b"}
