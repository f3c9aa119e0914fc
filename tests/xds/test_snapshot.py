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


def test_an_unknown_type_has_no_resources() -> None:
    assert snapshot("a").of_type("type.googleapis.com/unknown") == {}
