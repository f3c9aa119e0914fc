"""Any order of publishing, delivering, accepting and refusing ends in agreement."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from control_plane.pb.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)
from control_plane.xds.nodes import Silent
from control_plane.xds.resource import CLUSTER, ENDPOINT
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.stream_delta import DeltaStream
from control_plane.xds.stream_sotw import SotwStream
from tests.xds.resources import snapshot

TYPES = (CLUSTER, ENDPOINT)


def start() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


class SotwClient:
    """An Envoy as far as it matters: takes clusters, then asks for their assignments."""

    def __init__(self, published: Snapshot) -> None:
        self.stream = SotwStream(Silent(), start, published)
        self.has: dict[str, dict[str, str]] = {url: {} for url in TYPES}
        self.nonces = dict.fromkeys(TYPES, "")
        self.inbox: list[DiscoveryResponse] = []
        self.take(self.stream.receive(DiscoveryRequest(type_url=CLUSTER)))

    def take(self, responses: Iterable[DiscoveryResponse]) -> None:
        self.inbox.extend(responses)
        waiting = [response.type_url for response in self.inbox]
        assert len(waiting) == len(set(waiting))

    def publish(self, published: Snapshot) -> None:
        self.take(self.stream.update(published))

    def answer(self, *, accept: bool) -> None:
        if not self.inbox:
            return
        response = self.inbox.pop(0)
        url = response.type_url
        self.nonces[url] = response.nonce
        request = DiscoveryRequest(type_url=url, response_nonce=response.nonce)
        if accept:
            self._apply(response)
        else:
            request.error_detail.message = "no"
        if url == ENDPOINT:
            request.resource_names.extend(sorted(self.has[CLUSTER]))
        self.take(self.stream.receive(request))
        if accept and url == CLUSTER:
            self.ask_for_assignments()

    def _apply(self, response: DiscoveryResponse) -> None:
        url = response.type_url
        offered = self.stream._subscriptions[url].offered
        if url == CLUSTER:
            assert len(response.resources) == len(offered)
            self.has[url] = {name: resource.version for name, resource in offered.items()}
        else:
            self.has[url] |= {name: resource.version for name, resource in offered.items()}

    def ask_for_assignments(self) -> None:
        names = sorted(self.has[CLUSTER])
        self.has[ENDPOINT] = {n: v for n, v in self.has[ENDPOINT].items() if n in names}
        if names or self.nonces[ENDPOINT]:
            self.take(
                self.stream.receive(
                    DiscoveryRequest(
                        type_url=ENDPOINT,
                        resource_names=names,
                        response_nonce=self.nonces[ENDPOINT],
                    )
                )
            )


class DeltaClient:
    def __init__(self, published: Snapshot) -> None:
        self.stream = DeltaStream(Silent(), start, published)
        self.has: dict[str, dict[str, str]] = {url: {} for url in TYPES}
        self.asked: set[str] = set()
        self.inbox: list[DeltaDiscoveryResponse] = []
        self.take(self.stream.receive(DeltaDiscoveryRequest(type_url=CLUSTER)))

    def take(self, responses: Iterable[DeltaDiscoveryResponse]) -> None:
        self.inbox.extend(responses)
        waiting = [response.type_url for response in self.inbox]
        assert len(waiting) == len(set(waiting))

    def publish(self, published: Snapshot) -> None:
        self.take(self.stream.update(published))

    def answer(self, *, accept: bool) -> None:
        if not self.inbox:
            return
        response = self.inbox.pop(0)
        url = response.type_url
        request = DeltaDiscoveryRequest(type_url=url, response_nonce=response.nonce)
        if accept:
            # What a node no longer asks for it ignores.
            self.has[url] |= {
                entry.name: entry.version
                for entry in response.resources
                if url == CLUSTER or entry.name in self.asked
            }
            for name in response.removed_resources:
                self.has[url].pop(name, None)
        else:
            request.error_detail.message = "no"
        self.take(self.stream.receive(request))
        if accept and url == CLUSTER:
            self.ask_for_assignments()

    def ask_for_assignments(self) -> None:
        wanted = set(self.has[CLUSTER])
        request = DeltaDiscoveryRequest(
            type_url=ENDPOINT,
            resource_names_subscribe=sorted(wanted - self.asked),
            resource_names_unsubscribe=sorted(self.asked - wanted),
        )
        for name in self.asked - wanted:
            self.has[ENDPOINT].pop(name, None)
        self.asked = wanted
        if request.resource_names_subscribe or request.resource_names_unsubscribe:
            self.take(self.stream.receive(request))


versions = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123"))
steps = st.lists(st.one_of(versions, st.just("ack"), st.just("nack")), max_size=25)


def published(clusters: dict[str, str]) -> Snapshot:
    return snapshot(*(f"{name}={version}" for name, version in clusters.items()))


def play(client: SotwClient | DeltaClient, script: list[dict[str, str] | str]) -> None:
    for step in script:
        if isinstance(step, dict):
            client.publish(published(step))
        else:
            client.answer(accept=step == "ack")


def settle(client: SotwClient | DeltaClient, last: dict[str, str]) -> int:
    client.publish(published(last))
    answered = 0
    while client.inbox:
        client.answer(accept=True)
        answered += 1
        assert answered < 50, "a loop"
    return answered


@given(steps)
def test_sotw_ends_in_agreement(script: list[dict[str, str] | str]) -> None:
    client = SotwClient(published({}))
    play(client, script)
    last = {"a": "final", "e": "final"}
    settle(client, last)

    assert client.has[CLUSTER] == last
    assert set(client.has[ENDPOINT]) >= set(last)
    assert {status.state for status in client.stream.status().types} == {"SYNCED"}


@given(steps)
def test_delta_ends_in_agreement(script: list[dict[str, str] | str]) -> None:
    client = DeltaClient(published({}))
    play(client, script)
    last = {"a": "final", "e": "final"}
    settle(client, last)

    assert client.has[CLUSTER] == last
    assert set(client.has[ENDPOINT]) == set(last)
    assert {status.state for status in client.stream.status().types} == {"SYNCED"}


@given(steps)
def test_a_node_that_refuses_everything_is_left_alone(
    script: list[dict[str, str] | str],
) -> None:
    for client in (SotwClient(published({})), DeltaClient(published({}))):
        play(client, script)
        answered = 0
        while client.inbox:
            client.answer(accept=False)
            answered += 1
            assert answered < 50, "a loop"

        states = {status.state for status in client.stream.status().types}
        assert "STALE" not in states
