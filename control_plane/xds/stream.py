"""One ADS stream, without its I/O: requests and snapshots in, responses out.

The rules both variants share:

- One response of a type is on its way at a time; the next goes out after its ACK or NACK, so an
  answer can be matched to what it answers, and a slow node cannot pile up responses.
- A nonce belongs to its stream; an answer with another nonce is about something superseded.
- A refused resource is not sent again before it changes.
- A listener that a node refuses with the module of known ids it gets without: an Envoy that cannot
  load the module does what it did before there was one.
- Make before break: additions and changes in the order CDS, EDS, SDS, LDS, RDS, ECDS; removals only
  once all of them are answered, and what refers to a resource goes before it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from control_plane.pb import discovery_pb2
from control_plane.xds.module import module_of
from control_plane.xds.nodes import NodeStatus, Observer, SyncState, TypeStatus
from control_plane.xds.resource import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    SECRET,
    SENDING_ORDER,
)
from control_plane.xds.snapshot import Names, Snapshot
from control_plane.xds.subscription import Subscription

Response = TypeVar("Response")

Clock = Callable[[], datetime]

_REMOVAL_ORDER = (LISTENER, ROUTE, EXTENSION, SECRET, CLUSTER, ENDPOINT)


class Stream(ABC, Generic[Response]):
    """The state of one stream; subclasses know the two forms of messages."""

    variant: str

    def __init__(self, observer: Observer, clock: Clock, snapshot: Snapshot | None) -> None:
        """Start with what is published now, None if nothing is."""
        self.node = ""
        self._node_cluster = ""
        self._module = ""
        self._observer = observer
        self._clock = clock
        self._connected_at = clock()
        #: As published, and as this node gets it.
        self._published = snapshot
        self._snapshot = snapshot
        self._subscriptions: dict[str, Subscription] = {}
        self._nonces = 0

    def update(self, snapshot: Snapshot, changed: Names | None = None) -> list[Response]:
        """Take a new snapshot and give what is to be sent now.

        `changed` says where it differs from the one before, if the caller has found out already.
        """
        self._published = snapshot
        snapshot = snapshot.for_module(self._module)
        if changed is None:
            changed = snapshot.differences(self._snapshot)
        self._snapshot = snapshot
        for subscription in self._subscriptions.values():
            subscription.doubt(changed.get(subscription.type_url, ()))
        return self._advance()

    def status(self) -> NodeStatus:
        """Tell how far the node is."""
        types = tuple(
            TypeStatus(
                type_url,
                self._state(subscription),
                subscription.sent,
                subscription.acked,
                subscription.reason,
                subscription.changed_at,
            )
            for type_url, subscription in self._subscriptions.items()
        )
        return NodeStatus(self.node, self._node_cluster, self.variant, self._connected_at, types)

    @abstractmethod
    def _additions(self, subscription: Subscription, snapshot: Snapshot) -> Response | None:
        """Make the response with what is new or changed, None if nothing is."""

    @abstractmethod
    def _removals(self, subscription: Subscription, snapshot: Snapshot) -> Response | None:
        """Make the response that takes away what is gone, None if nothing is."""

    def _introduce(self, node: discovery_pb2.Node) -> None:
        """Learn who is there; Envoy says it in the first request only."""
        if not self.node and node.id:
            self.node = node.id
            self._node_cluster = node.cluster
            self._module = module_of(node.metadata)
            if self._snapshot is not None:
                self._snapshot = self._snapshot.for_module(self._module)
            self._observer.connected(self.node, self.variant)

    def _advance(self) -> list[Response]:
        snapshot = self._snapshot
        if snapshot is None:
            return []
        responses: list[Response] = []
        for subscription in self._in_order(SENDING_ORDER):
            if not subscription.waiting:
                response = self._additions(subscription, snapshot)
                if response is not None:
                    responses.append(response)
                subscription.settle(snapshot)
        for subscription in self._in_order(_REMOVAL_ORDER):
            if any(other.waiting for other in self._subscriptions.values()):
                break
            response = self._removals(subscription, snapshot)
            if response is not None:
                responses.append(response)
            subscription.settle(snapshot)
        return responses

    def _doubt_all(self, subscription: Subscription) -> None:
        """Doubt all that a node may want or have of a type."""
        subscription.doubt(subscription.offered)
        subscription.doubt(subscription.names)
        if self._snapshot is not None and subscription.wildcard:
            subscription.doubt(self._snapshot.of_type(subscription.type_url))

    def _in_order(self, order: tuple[str, ...]) -> list[Subscription]:
        return [self._subscriptions[url] for url in order if url in self._subscriptions]

    def _sending(self, subscription: Subscription, version: str, names: Iterable[str]) -> str:
        """Note that a response about some names goes out and give its nonce."""
        self._nonces += 1
        subscription.nonce = str(self._nonces)
        subscription.waiting = True
        subscription.flight = set(names)
        subscription.due = False
        subscription.sent = version
        subscription.changed_at = self._clock()
        self._observer.sent(self.node, subscription.type_url, version)
        return subscription.nonce

    def _answered(self, subscription: Subscription, refusal: str | None) -> None:
        """Note an ACK, or a NACK with its reason; a second answer to a response says nothing."""
        if not subscription.waiting:
            return
        subscription.waiting = False
        subscription.changed_at = self._clock()
        if refusal is None:
            subscription.acked = subscription.sent
            subscription.forget_refused(subscription.flight)
            self._observer.acked(self.node, subscription.type_url, subscription.sent)
        else:
            subscription.refused |= subscription.flight
            subscription.reason = refusal or "no reason given"
            self._observer.nacked(
                self.node, subscription.type_url, subscription.sent, subscription.reason
            )
            if subscription.type_url == LISTENER and self._snapshot is not self._published:
                self._leave_module_out(subscription)

    def _leave_module_out(self, listeners: Subscription) -> None:
        """Offer the listeners as to a node without the module; another thing may be wrong, too."""
        self._observer.module_left_out(self.node, self._module)
        self._module, self._snapshot = "", self._published
        self._doubt_all(listeners)

    def _state(self, subscription: Subscription) -> SyncState:
        snapshot = self._snapshot
        if subscription.waiting or snapshot is None:
            return SyncState.STALE
        if subscription.reason:
            return SyncState.NACK
        if subscription.changed(snapshot) or subscription.gone(snapshot):
            return SyncState.STALE
        return SyncState.SYNCED


def refusal(
    request: discovery_pb2.DiscoveryRequest | discovery_pb2.DeltaDiscoveryRequest,
) -> str | None:
    """Read why a request refuses the last response; None if it does not."""
    return request.error_detail.message if request.HasField("error_detail") else None
