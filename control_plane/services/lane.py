"""How much of the control plane an endpoint needs, once its owner is known and before.

The owner cache in Envoy (envoy/lua/owner_cache.lua) and the ways to the processor are made from
this; nothing about single endpoints is written a second time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from control_plane.model.microversion import Microversion
from control_plane.services.action import Action
from control_plane.services.operation import Kind, Operation, Resource
from control_plane.services.service import Service


class Lane(StrEnum):
    """What has to be seen of a request and of its answer."""

    #: The path names the pod's resource; the answer goes on as it is.
    PASS = "pass"  # noqa: S105 - no password
    #: The same; the answer is put into the users' words, for which the pod's names are enough.
    SEEN = "seen"
    #: The body's only key says what is asked for, which may be nobody's business but the pod's.
    ACTION = "action"
    #: Many pods are asked and the answer is streamed.
    LIST = "list"
    #: Anything else.
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Change:
    """A field of an item that is put into the users' words; `kind` says how."""

    path: str
    kind: str


def lane(service: Service, operation: Operation, method: str) -> Lane:
    """Say what an endpoint needs."""
    if operation.handler == "aggregate":
        return Lane.LIST
    if operation.handler == "action" and plain_actions(service, operation):
        return Lane.ACTION
    if operation.handler != "route" or not _is_by_path(operation):
        return Lane.FULL
    if _is_own_path(operation) and method == "DELETE":
        # The end is noted.
        return Lane.FULL
    return _lane_of_answer(service.resources.get(operation.answer), operation, method)


def _lane_of_answer(resource: Resource | None, operation: Operation, method: str) -> Lane:
    if not operation.answer:
        return Lane.PASS
    if resource is None:
        return Lane.SEEN
    # Should the answer need the processor after all, the request's body would be past it.
    needs_body = resource.shadows and method != "GET"
    return Lane.FULL if needs_body or not _is_spelt(resource) else Lane.SEEN


def is_whole(operation: Operation, method: str) -> bool:
    """Whether a 404 of the pod speaks of the resource itself."""
    return method == "GET" and _is_own_path(operation)


def plain_actions(service: Service, operation: Operation) -> Mapping[str, Action]:
    """Find the actions of an endpoint that need only be carried to the owner."""
    known = service.actions.get(_first_parameter(operation), {})
    return {name: action for name, action in known.items() if _is_plain(action)}


def changes(resource: Resource) -> Iterator[Change]:
    """List what is put into the users' words in an item of a `Lane.SEEN` answer."""
    kinds = {
        "zone": resource.zones,
        "own_zone": resource.own_zones,
        "host": resource.hosts,
        "obscured": resource.obscured,
    }
    for kind, paths in kinds.items():
        yield from (Change(path, kind) for path in paths)


def needs_processor_from(resource: Resource) -> Microversion | None:
    """Give the microversion from which an answer shows ids that pods invent."""
    return Microversion.parse(resource.ids_since) if resource.ids else None


def is_home(service: Service, operation: Operation) -> bool:
    """Whether a list of a project that is in one pod can be that pod's, put into users' words."""
    resource = service.resources.get(operation.answer)
    return bool(operation.home) and resource is not None and _is_spelt(resource)


def _is_spelt(resource: Resource) -> bool:
    """Whether names of the pod are all that its items must be rid of."""
    unknown = resource.ids and not resource.ids_since
    named = unknown or resource.parts or resource.numbers
    return not (named or resource.replicated or resource.spread)


def _is_by_path(operation: Operation) -> bool:
    touches = operation.creates or operation.takes or operation.ends or operation.side_effect
    return bool(_first_parameter(operation)) and not (
        operation.owner or operation.reads_body or touches
    )


def _is_own_path(operation: Operation) -> bool:
    return operation.path.count("{") == 1 and operation.path.endswith("}")


def _first_parameter(operation: Operation) -> str:
    return operation.path.partition("{")[2].partition("}")[0]


def _is_plain(action: Action) -> bool:
    return action.kind is Kind.ROUTE and not (
        action.zone
        or action.copies
        or action.brings
        or action.same_pod
        or action.creates
        or action.ends
        or action.hosts
    )
