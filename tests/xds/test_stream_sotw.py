from dataclasses import replace
from datetime import UTC, datetime

from control_plane.pb.discovery_pb2 import DiscoveryRequest, DiscoveryResponse, Node, Status
from control_plane.xds.module import NODE_KEY
from control_plane.xds.nodes import Silent
from control_plane.xds.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.stream_sotw import SotwStream
from tests.xds.resources import resource, snapshot


def stream(published: Snapshot | None) -> SotwStream:
    return SotwStream(Silent(), lambda: datetime.now(UTC), published)


def ask(type_url: str, *names: str, nonce: str = "", error: str = "") -> DiscoveryRequest:
    request = DiscoveryRequest(
        type_url=type_url, resource_names=names, response_nonce=nonce, node=Node(id="n")
    )
    if error:
        request.error_detail.CopyFrom(Status(code=13, message=error))
    return request


def content(response: DiscoveryResponse) -> list[str]:
    return [resource.value.decode() for resource in response.resources]


def state(under_test: SotwStream, type_url: str) -> str:
    return next(s.state for s in under_test.status().types if s.type_url == type_url)


def test_waits_until_something_is_published() -> None:
    under_test = stream(None)

    assert under_test.receive(ask(CLUSTER)) == []
    (response,) = under_test.update(snapshot("a"))

    assert response.type_url == CLUSTER
    assert content(response) == ["1"]


def test_answers_a_wildcard_even_with_nothing() -> None:
    (response,) = stream(snapshot()).receive(ask(CLUSTER))

    assert content(response) == []


def test_an_ack_is_not_answered() -> None:
    under_test = stream(snapshot("a"))
    (response,) = under_test.receive(ask(CLUSTER))

    assert under_test.receive(ask(CLUSTER, nonce=response.nonce)) == []
    assert state(under_test, CLUSTER) == "SYNCED"
    assert under_test.update(snapshot("a")) == []


def test_a_nack_is_not_answered_before_something_changes() -> None:
    under_test = stream(snapshot("a"))
    (response,) = under_test.receive(ask(CLUSTER))

    assert under_test.receive(ask(CLUSTER, nonce=response.nonce, error="no")) == []
    assert under_test.update(snapshot("a")) == []
    assert state(under_test, CLUSTER) == "NACK"
    (better,) = under_test.update(snapshot("a=2"))
    under_test.receive(ask(CLUSTER, nonce=better.nonce))

    assert content(better) == ["2"]
    assert state(under_test, CLUSTER) == "SYNCED"


def test_a_superseded_nonce_is_ignored() -> None:
    under_test = stream(snapshot("a"))
    (first,) = under_test.receive(ask(ENDPOINT, "a"))
    under_test.receive(ask(ENDPOINT, "a", nonce=first.nonce))
    (second,) = under_test.receive(ask(ENDPOINT, "a", nonce=""))

    assert under_test.receive(ask(ENDPOINT, "b", nonce=first.nonce)) == []
    assert state(under_test, ENDPOINT) == "STALE"
    assert under_test.receive(ask(ENDPOINT, "a", nonce=second.nonce)) == []
    assert state(under_test, ENDPOINT) == "SYNCED"


def test_names_that_are_new_are_sent_and_the_others_not_again() -> None:
    under_test = stream(snapshot("a", "b=1"))
    (first,) = under_test.receive(ask(ENDPOINT, "a"))
    (second,) = under_test.receive(ask(ENDPOINT, "a", "b", nonce=first.nonce))

    assert len(second.resources) == 1
    assert under_test.receive(ask(ENDPOINT, "b", nonce=second.nonce)) == []
    (again,) = under_test.receive(ask(ENDPOINT, "a", "b", nonce=second.nonce))
    assert len(again.resources) == 1


def test_a_name_that_does_not_exist_is_answered_once_it_does() -> None:
    under_test = stream(snapshot())

    assert under_test.receive(ask(ENDPOINT, "a")) == []
    assert len(under_test.update(snapshot("a"))) == 1


def test_the_next_response_waits_for_the_answer_to_the_last() -> None:
    under_test = stream(snapshot("a"))
    (first,) = under_test.receive(ask(CLUSTER))

    assert under_test.update(snapshot("a=2")) == []
    assert under_test.update(snapshot("a=3")) == []
    (latest,) = under_test.receive(ask(CLUSTER, nonce=first.nonce))

    assert content(latest) == ["3"]


def test_changes_go_out_in_order_and_removals_after_all_are_answered() -> None:
    under_test = stream(snapshot("old"))
    nonces = {}
    for request in (
        ask(ROUTE, "ingress"), ask(LISTENER), ask(ENDPOINT, "old"), ask(CLUSTER)
    ):  # fmt: skip
        (response,) = under_test.receive(request)
        nonces[request.type_url] = response.nonce
        under_test.receive(ask(request.type_url, *request.resource_names, nonce=response.nonce))

    responses = under_test.update(snapshot("new=2", routes="2", listeners="2"))

    assert [response.type_url for response in responses] == [CLUSTER, LISTENER, ROUTE]
    # The old cluster stays until nothing can refer to it.
    assert sorted(content(responses[0])) == ["1", "2"]
    assert under_test.receive(ask(CLUSTER, nonce=responses[0].nonce)) == []
    assert under_test.receive(ask(LISTENER, nonce=responses[1].nonce)) == []
    (removal,) = under_test.receive(ask(ROUTE, "ingress", nonce=responses[2].nonce))
    assert (removal.type_url, content(removal)) == (CLUSTER, ["2"])
    assert removal.version_info != responses[0].version_info


def test_unsubscribing_from_names_is_no_wildcard() -> None:
    under_test = stream(snapshot("a", "b"))
    (named,) = under_test.receive(ask(CLUSTER, "a"))
    assert len(named.resources) == 1

    responses = under_test.receive(ask(CLUSTER, nonce=named.nonce))

    assert [content(response) for response in responses] == [[]]


def test_a_type_we_do_not_serve_is_not_answered() -> None:
    assert stream(snapshot("a")).receive(ask("type.googleapis.com/unknown", "x")) == []


class Told(Silent):
    """An observer that keeps what modules nodes had refused."""

    def __init__(self) -> None:
        self.left_out: list[tuple[str, str]] = []

    def module_left_out(self, node: str, module: str) -> None:
        self.left_out.append((node, module))


def test_a_module_that_is_refused_is_left_out_from_then_on_and_said_once() -> None:
    def published(content: str) -> Snapshot:
        with_module = resource(LISTENER, "ingress", f"{content} with module")
        plain = resource(LISTENER, "ingress", content)
        return Snapshot.of([replace(plain, with_module=lambda _: with_module)])

    told = Told()
    under_test = SotwStream(told, lambda: datetime.now(UTC), published("1"))
    first = ask(LISTENER)
    first.node.metadata.update({NODE_KEY: "/m.so"})
    (offered,) = under_test.receive(first)

    (instead,) = under_test.receive(ask(LISTENER, nonce=offered.nonce, error="file too short"))
    assert under_test.receive(ask(LISTENER, nonce=instead.nonce)) == []
    (later,) = under_test.update(published("2"))
    under_test.receive(ask(LISTENER, nonce=later.nonce, error="another thing"))

    found = [content(response) for response in (offered, instead, later)]
    assert found == [["1 with module"], ["1"], ["2"]]
    assert told.left_out == [("n", "/m.so")]
