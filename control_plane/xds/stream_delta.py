"""The incremental variant: a response holds what changed and names what is gone."""

from google.protobuf.any_pb2 import Any

from control_plane.pb import discovery_pb2 as pb
from control_plane.pb.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from control_plane.xds.resource import WILDCARD_TYPES, Resource
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.stream import Stream, refusal
from control_plane.xds.subscription import Subscription


class DeltaStream(Stream[DeltaDiscoveryResponse]):
    """A stream of DeltaAggregatedResources."""

    variant = "delta"

    def receive(self, request: DeltaDiscoveryRequest) -> list[DeltaDiscoveryResponse]:
        """Take a request and give what is to be sent now."""
        self._introduce(request.node)
        subscription = self._subscriptions.get(request.type_url)
        begins = subscription is None
        if subscription is None:
            subscription = self._begin(request)
        elif request.response_nonce and request.response_nonce == subscription.nonce:
            self._answered(subscription, refusal(request))
        # Unlike in the other variant, what a request subscribes to counts whatever its nonce.
        _subscribe(subscription, request)
        _unsubscribe(subscription, request)
        subscription.doubt(request.resource_names_subscribe)
        subscription.doubt(request.resource_names_unsubscribe)
        if begins or "*" in request.resource_names_subscribe:
            self._doubt_all(subscription)
        return self._advance()

    def _begin(self, request: DeltaDiscoveryRequest) -> Subscription:
        subscription = Subscription(request.type_url, self._clock())
        self._subscriptions[request.type_url] = subscription
        # What the node kept from an earlier stream need not be sent again.
        for name, version in request.initial_resource_versions.items():
            subscription.offered[name] = Resource(request.type_url, name, b"", version)
        if not request.resource_names_subscribe and request.type_url in WILDCARD_TYPES:
            subscription.wildcard = True
        # Also when there is nothing: Envoy waits for its clusters before it goes on.
        subscription.due = subscription.wildcard or "*" in request.resource_names_subscribe
        return subscription

    def _additions(
        self, subscription: Subscription, snapshot: Snapshot
    ) -> DeltaDiscoveryResponse | None:
        changed = subscription.changed(snapshot)
        missing = subscription.missing(snapshot)
        if changed and subscription.refused:
            # A removal that was refused is tried again together with a change.
            unknown = subscription.refused.difference(subscription.offered, missing)
            missing.extend(sorted(unknown - subscription.wanted(snapshot).keys()))
        if not changed and not missing and not subscription.due:
            return None
        subscription.offered.update({resource.name: resource for resource in changed})
        subscription.absent.difference_update(resource.name for resource in changed)
        subscription.absent.update(subscription.names.intersection(missing))
        return self._response(subscription, snapshot, changed, missing)

    def _removals(
        self, subscription: Subscription, snapshot: Snapshot
    ) -> DeltaDiscoveryResponse | None:
        gone = subscription.gone(snapshot)
        if not gone:
            return None
        for name in gone:
            del subscription.offered[name]
        subscription.absent.update(subscription.names.intersection(gone))
        return self._response(subscription, snapshot, [], gone)

    def _response(
        self,
        subscription: Subscription,
        snapshot: Snapshot,
        changed: list[Resource],
        removed: list[str],
    ) -> DeltaDiscoveryResponse:
        version = snapshot.versions.get(subscription.type_url, "")
        return DeltaDiscoveryResponse(
            system_version_info=version,
            type_url=subscription.type_url,
            nonce=self._sending(
                subscription, version, [*(resource.name for resource in changed), *removed]
            ),
            resources=[
                pb.Resource(
                    name=resource.name,
                    version=resource.version,
                    resource=Any(type_url=resource.type_url, value=resource.body),
                )
                for resource in changed
            ],
            removed_resources=removed,
        )


def _subscribe(subscription: Subscription, request: DeltaDiscoveryRequest) -> None:
    for name in request.resource_names_subscribe:
        if name == "*":
            subscription.wildcard = True
            continue
        subscription.names.add(name)
        if name not in request.initial_resource_versions:
            # A name subscribed to again is sent again: the node may have dropped the resource.
            subscription.offered.pop(name, None)
            subscription.absent.discard(name)


def _unsubscribe(subscription: Subscription, request: DeltaDiscoveryRequest) -> None:
    for name in request.resource_names_unsubscribe:
        if name == "*":
            subscription.wildcard = False
            for offered in [
                name for name in subscription.offered if name not in subscription.names
            ]:
                del subscription.offered[offered]
            continue
        subscription.names.discard(name)
        subscription.absent.discard(name)
        subscription.forget_refused({name})
        # The node has dropped it; under a wildcard it is sent again, as the protocol says.
        subscription.offered.pop(name, None)
