"""Between the values of administration and the messages of `protos/administration.proto`."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from control_plane.administration.service import Applied, Located, Outcome, Zone
from control_plane.administration.spec import PodSpec, parse_state
from control_plane.model.binding import Binding
from control_plane.model.fleet import Fleet
from control_plane.model.intent import Intent
from control_plane.model.pod import Pod
from control_plane.pb import administration_pb2 as pb
from control_plane.xds.nodes import NodeStatus, SyncState, TypeStatus

_OUTCOMES = {
    Outcome.CREATED: pb.AppliedPod.OUTCOME_CREATED,
    Outcome.CONFIGURED: pb.AppliedPod.OUTCOME_CONFIGURED,
    Outcome.UNCHANGED: pb.AppliedPod.OUTCOME_UNCHANGED,
}
_STATES = {
    SyncState.SYNCED: pb.ProxyResources.STATE_SYNCED,
    SyncState.STALE: pb.ProxyResources.STATE_STALE,
    SyncState.NACK: pb.ProxyResources.STATE_NACK,
}


def pod_message(pod: Pod) -> pb.Pod:
    """Write a pod."""
    return pb.Pod(
        name=pod.name,
        availability_zone=pod.availability_zone,
        pod_availability_zone=pod.pod_availability_zone,
        data_center=pod.data_center,
        state=pod.state.value,
        weight=pod.weight,
        labels=dict(pod.labels),
        endpoints=dict(pod.endpoints),
        id=pod.id,
        number=pod.number,
        created_at=_moment(pod.created_at),
        updated_at=_moment(pod.updated_at),
    )


def spec_message(spec: PodSpec) -> pb.Pod:
    """Write what an operator wants a pod to be."""
    return pb.Pod(
        name=spec.name,
        availability_zone=spec.availability_zone,
        pod_availability_zone=spec.pod_availability_zone,
        data_center=spec.data_center,
        state=spec.state.value if spec.state else "",
        weight=spec.weight,
        labels=dict(spec.labels),
        endpoints=dict(spec.endpoints),
    )


def spec_of(message: pb.Pod) -> PodSpec:
    """Read what an operator wants a pod to be; Invalid for a state that is none."""
    return PodSpec(
        name=message.name,
        availability_zone=message.availability_zone,
        pod_availability_zone=message.pod_availability_zone,
        data_center=message.data_center,
        state=parse_state(message.state, message.name) if message.state else None,
        weight=message.weight if message.HasField("weight") else 100,
        labels=dict(message.labels),
        endpoints=dict(message.endpoints),
    )


def applied_message(applied: Applied) -> pb.AppliedPod:
    """Write what applying did to a pod."""
    return pb.AppliedPod(
        pod=pod_message(applied.pod),
        outcome=_OUTCOMES[applied.outcome],
        changed_fields=applied.changed,
    )


def binding_message(binding: Binding, fleet: Fleet) -> pb.Binding:
    """Write a binding, with the name of its pod."""
    names = {pod.id: pod.name for pod in fleet}
    return pb.Binding(
        id=binding.id,
        project_id=binding.project_id,
        availability_zone=binding.availability_zone,
        pod_id=binding.pod_id,
        pod=names.get(binding.pod_id, ""),
        created_at=_moment(binding.created_at),
        updated_at=_moment(binding.updated_at),
    )


def location_message(located: Located) -> pb.Location:
    """Write who owns an id."""
    owner = located.owner
    return pb.Location(
        id=owner.id,
        pod=owner.pod,
        availability_zone=located.availability_zone,
        resource=owner.resource,
        project_id=owner.project_id,
        source=located.source,
        created_at=_moment(owner.created_at),
    )


def zone_message(zone: Zone) -> pb.Zone:
    """Write a zone."""
    return pb.Zone(name=zone.name, available=zone.available, pods=zone.pods)


def pending_message(intent: Intent) -> pb.PendingWrite:
    """Write what a pod is still to be told."""
    return pb.PendingWrite(
        id=intent.id,
        pod=intent.pod,
        subject=intent.subject,
        method=intent.method,
        path=intent.path,
        user_id=intent.user_id,
        project_id=intent.project_id,
        attempts=intent.attempts,
        refused=intent.refused,
        reason=intent.reason,
        created_at=_moment(intent.created_at),
        due_at=_moment(intent.due_at),
        doing=intent.under_way(datetime.now(UTC)),
    )


def proxy_message(node: NodeStatus) -> pb.Proxy:
    """Write what one Envoy has."""
    return pb.Proxy(
        node=node.id,
        cluster=node.cluster,
        variant=node.variant,
        connected_at=_moment(node.connected_at),
        resources=[_resources_message(entry) for entry in node.types],
    )


def _resources_message(status: TypeStatus) -> pb.ProxyResources:
    return pb.ProxyResources(
        type_url=status.type_url,
        state=_STATES[status.state],
        sent_version=status.sent,
        acknowledged_version=status.acked,
        reason=status.reason,
        changed_at=_moment(status.changed_at),
    )


def _moment(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(value.astimezone(UTC))
    return stamp
