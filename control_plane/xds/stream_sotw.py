"""The state-of-the-world variant: a response holds all of a type, or what of it is new.

Clusters and listeners are always sent whole, since what a response leaves out is deleted. Of the
other types a response may hold any part.
"""

from google.protobuf.any_pb2 import Any

from control_plane.pb.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from control_plane.xds.resource import WILDCARD_TYPES, Resource
from control_plane.xds.snapshot import Snapshot, version_of
from control_plane.xds.stream import Stream, refusal
from control_plane.xds.subscription import Subscription


class SotwStream(Stream[DiscoveryResponse]):
    """A stream of StreamAggregatedResources."""

    variant = "sotw"

    def receive(self, request: DiscoveryRequest) -> list[DiscoveryResponse]:
        """Take a request and give what is to be sent now."""
        self._introduce(request.node)
        subscription = self._subscriptions.get(request.type_url)
        if subscription is None:
            subscription = Subscription(request.type_url, self._clock())
            self._subscriptions[request.type_url] = subscription
            self._subscribe(subscription, request, first=True)
        elif not request.response_nonce:
            # Before the first response arrived, or a client that starts over.
            if not subscription.waiting:
                subscription.offered.clear()
            self._subscribe(subscription, request, first=True)
        elif request.response_nonce == subscription.nonce:
            self._answered(subscription, refusal(request))
            self._subscribe(subscription, request, first=False)
        else:
            # Superseded: the client will answer the later response, with its names of then.
            return []
        return self._advance()

    def _subscribe(
        self, subscription: Subscription, request: DiscoveryRequest, *, first: bool
    ) -> None:
        names = set(request.resource_names)
        whole = subscription.type_url in WILDCARD_TYPES
        # Naming nothing means everything until the client has named something.
        wildcard = "*" in names or (
            not names and whole and (first or (subscription.wildcard and not subscription.names))
        )
        names.discard("*")
        renamed = names != subscription.names or wildcard != subscription.wildcard
        widened = first or wildcard != subscription.wildcard
        subscription.doubt(names ^ subscription.names)
        subscription.names, subscription.wildcard = names, wildcard
        if widened:
            self._doubt_all(subscription)
        if whole and (first or renamed):
            # Also when there is nothing: Envoy waits for its clusters before it goes on.
            subscription.due = True
        if not wildcard:
            # What is no longer wanted is forgotten, so that wanting it again sends it again.
            for name in [name for name in subscription.offered if name not in names]:
                del subscription.offered[name]
            subscription.forget_refused(subscription.refused - names)

    def _additions(
        self, subscription: Subscription, snapshot: Snapshot
    ) -> DiscoveryResponse | None:
        changed = subscription.changed(snapshot)
        if not changed and not subscription.due:
            return None
        if subscription.type_url not in WILDCARD_TYPES:
            subscription.offered.update({resource.name: resource for resource in changed})
            return self._response(subscription, changed)
        # What is gone stays in until everything else is answered: make before break.
        subscription.offered |= subscription.wanted(snapshot)
        return self._response(subscription, list(subscription.offered.values()))

    def _removals(self, subscription: Subscription, snapshot: Snapshot) -> DiscoveryResponse | None:
        gone = subscription.gone(snapshot)
        for name in gone:
            del subscription.offered[name]
        if not gone or subscription.type_url not in WILDCARD_TYPES:
            # The other types have no removal; what nothing refers to, a node drops by itself.
            return None
        return self._response(subscription, list(subscription.offered.values()))

    def _response(self, subscription: Subscription, resources: list[Resource]) -> DiscoveryResponse:
        version = version_of(subscription.offered)
        names = {resource.name for resource in resources}
        if subscription.type_url in WILDCARD_TYPES:
            # A whole supersedes whatever was refused before.
            names |= subscription.refused
        return DiscoveryResponse(
            version_info=version,
            type_url=subscription.type_url,
            nonce=self._sending(subscription, version, names),
            resources=[
                Any(type_url=resource.type_url, value=resource.body) for resource in resources
            ],
        )
