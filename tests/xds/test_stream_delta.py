from datetime import UTC, datetime

from control_plane.pb.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    Node,
    Status,
)
from control_plane.xds.nodes import Silent
from control_plane.xds.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.stream_delta import DeltaStream
from tests.xds.resources import snapshot


def stream(published: Snapshot | None) -> DeltaStream:
    return DeltaStream(Silent(), lambda: datetime.now(UTC), published)


def ask(
    type_url: str,
    *names: str,
    drop: tuple[str, ...] = (),
    has: dict[str, str] | None = None,
    nonce: str = "",
    error: str = "",
) -> DeltaDiscoveryRequest:
    request = DeltaDiscoveryRequest(
        type_url=type_url,
        resource_names_subscribe=names,
        resource_names_unsubscribe=drop,
        initial_resource_versions=has or {},
        response_nonce=nonce,
        node=Node(id="n"),
    )
    if error:
        request.error_detail.CopyFrom(Status(code=13, message=error))
    return request


def names(response: DeltaDiscoveryResponse) -> list[str]:
    return [resource.name for resource in response.resources]


def state(under_test: DeltaStream, type_url: str) -> str:
    return next(s.state for s in under_test.status().types if s.type_url == type_url)


def test_answers_a_wildcard_even_with_nothing() -> None:
    (response,) = stream(snapshot()).receive(ask(CLUSTER))

    assert (names(response), list(response.removed_resources)) == ([], [])


def test_an_explicit_wildcard_is_one_too() -> None:
    (response,) = stream(snapshot("a", "b")).receive(ask(CLUSTER, "*"))

    assert names(response) == ["a", "b"]


def test_only_what_changed_is_sent() -> None:
    under_test = stream(snapshot("a", "b"))
    (first,) = under_test.receive(ask(CLUSTER))
    under_test.receive(ask(CLUSTER, nonce=first.nonce))

    (second,) = under_test.update(snapshot("a", "b=2", "c"))

    assert names(second) == ["b", "c"]


def test_what_a_node_kept_is_not_sent_again() -> None:
    under_test = stream(snapshot("a", "b=2"))

    (response,) = under_test.receive(ask(CLUSTER, has={"a": "1", "b": "1", "gone": "1"}))
    (removal,) = under_test.receive(ask(CLUSTER, nonce=response.nonce))

    assert names(response) == ["b"]
    assert list(removal.removed_resources) == ["gone"]


def test_a_name_that_does_not_exist_is_told_once() -> None:
    under_test = stream(snapshot())
    (told,) = under_test.receive(ask(ENDPOINT, "a"))

    assert list(told.removed_resources) == ["a"]
    assert under_test.receive(ask(ENDPOINT, nonce=told.nonce)) == []
    (found,) = under_test.update(snapshot("a"))
    assert names(found) == ["a"]


def test_subscribing_again_sends_again() -> None:
    under_test = stream(snapshot("a"))
    (first,) = under_test.receive(ask(ENDPOINT, "a"))
    under_test.receive(ask(ENDPOINT, nonce=first.nonce))

    (again,) = under_test.receive(ask(ENDPOINT, "a"))

    assert names(again) == ["a"]


def test_what_was_unsubscribed_is_not_sent() -> None:
    under_test = stream(snapshot("a", "b"))
    (first,) = under_test.receive(ask(ENDPOINT, "a", "b"))
    under_test.receive(ask(ENDPOINT, nonce=first.nonce))

    assert under_test.receive(ask(ENDPOINT, drop=("a",))) == []
    assert under_test.update(snapshot("b")) == []


def test_a_subscription_counts_even_with_a_superseded_nonce() -> None:
    under_test = stream(snapshot("a", "b"))
    (first,) = under_test.receive(ask(ENDPOINT, "a"))

    assert under_test.receive(ask(ENDPOINT, "b", nonce="other")) == []
    assert state(under_test, ENDPOINT) == "STALE"
    (second,) = under_test.receive(ask(ENDPOINT, nonce=first.nonce))
    assert names(second) == ["b"]


def test_a_nack_is_not_answered_before_something_changes() -> None:
    under_test = stream(snapshot("a"))
    (first,) = under_test.receive(ask(CLUSTER))

    assert under_test.receive(ask(CLUSTER, nonce=first.nonce, error="no")) == []
    assert under_test.update(snapshot("a")) == []
    (status,) = under_test.status().types
    assert (status.state, status.reason, status.acked) == ("NACK", "no", "")
    (better,) = under_test.update(snapshot("a=2"))
    under_test.receive(ask(CLUSTER, nonce=better.nonce))
    assert state(under_test, CLUSTER) == "SYNCED"


def test_changes_go_out_in_order_and_removals_after_all_are_answered() -> None:
    under_test = stream(snapshot("old"))
    for request in (ask(ROUTE, "ingress"), ask(LISTENER), ask(ENDPOINT, "old"), ask(CLUSTER)):
        (response,) = under_test.receive(request)
        under_test.receive(ask(request.type_url, nonce=response.nonce))

    responses = under_test.update(snapshot("new", routes="2", listeners="2"))

    assert [response.type_url for response in responses] == [CLUSTER, LISTENER, ROUTE]
    assert not any(response.removed_resources for response in responses)
    assert under_test.receive(ask(CLUSTER, nonce=responses[0].nonce)) == []
    assert under_test.receive(ask(LISTENER, nonce=responses[1].nonce)) == []
    (removal,) = under_test.receive(ask(ROUTE, nonce=responses[2].nonce))
    assert (removal.type_url, list(removal.removed_resources)) == (CLUSTER, ["old"])
    (assignment,) = under_test.receive(ask(CLUSTER, nonce=removal.nonce))
    assert (assignment.type_url, list(assignment.removed_resources)) == (ENDPOINT, ["old"])


def test_an_ended_wildcard_leaves_the_names() -> None:
    under_test = stream(snapshot("a", "b"))
    (first,) = under_test.receive(ask(CLUSTER, "*", "a"))
    under_test.receive(ask(CLUSTER, nonce=first.nonce, drop=("*",)))

    assert under_test.update(snapshot("a", "b=2")) == []
    (second,) = under_test.update(snapshot("a=2", "b=2"))
    assert names(second) == ["a"]


def test_the_good_parts_of_a_refused_response_come_with_the_next_change() -> None:
    under_test = stream(snapshot("a", "b"))
    (first,) = under_test.receive(ask(CLUSTER))
    under_test.receive(ask(CLUSTER, nonce=first.nonce, error="a is bad"))

    (second,) = under_test.update(snapshot("a=2", "b"))

    assert names(second) == ["a", "b"]


def test_a_refused_name_that_went_and_came_is_sent_again() -> None:
    under_test = stream(snapshot("a"))
    (first,) = under_test.receive(ask(ENDPOINT, "a", "b"))
    under_test.receive(ask(ENDPOINT, nonce=first.nonce, error="no"))
    (second,) = under_test.update(snapshot("b"))
    (removal,) = under_test.receive(ask(ENDPOINT, nonce=second.nonce))
    under_test.receive(ask(ENDPOINT, nonce=removal.nonce))

    (third,) = under_test.update(snapshot("a", "b"))

    assert (names(second), list(second.removed_resources)) == (["b"], [])
    assert list(removal.removed_resources) == ["a"]
    assert names(third) == ["a"]
