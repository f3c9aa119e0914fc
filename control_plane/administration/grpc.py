"""Administration over gRPC, as the `trio2o` command speaks it."""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from control_plane.administration import messages
from control_plane.administration.service import Administration
from control_plane.administration.spec import parse_state
from control_plane.model.caller import Caller
from control_plane.model.errors import (
    Conflict,
    InUse,
    Invalid,
    Missing,
    Refused,
    StoreUnreachable,
    Trio2oError,
)
from control_plane.pb import administration_pb2 as pb

log = structlog.get_logger()

#: Where a call carries its Keystone token.
TOKEN = "x-auth-token"  # noqa: S105  # a name

_SERVICE = pb.DESCRIPTOR.services_by_name["Administration"]
_CODES: dict[type[Trio2oError], Any] = {
    Missing: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.ALREADY_EXISTS,
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    InUse: grpc.StatusCode.FAILED_PRECONDITION,
}
_REFUSALS = {
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}

# grpcio ships no types.
_Context: TypeAlias = Any
_Call = Callable[[Any, Caller], Awaitable[Message]]


def administration_handler(administration: Administration) -> Any:
    """Make the generic RPC handler of administration for a gRPC server."""
    calls = Calls(administration)
    handlers = {}
    for method in _SERVICE.methods:
        call: _Call = getattr(calls, re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower())
        handlers[method.name] = grpc.unary_unary_rpc_method_handler(
            _for_administrators(administration, call),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
    return grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers)


def _for_administrators(
    administration: Administration, call: _Call
) -> Callable[[Message, _Context], Awaitable[Message]]:
    """Let only administrators through, and end a call with a status where it raises."""

    async def answer(request: Message, context: _Context) -> Message:
        token = dict(context.invocation_metadata() or ()).get(TOKEN, "")
        try:
            return await call(request, await administration.authorize(token))
        except Refused as error:
            code = _REFUSALS.get(error.status, grpc.StatusCode.UNKNOWN)
            text = error.message
        except (Missing, Conflict, Invalid, InUse) as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            text = str(error)
        except StoreUnreachable as error:
            log.warning("database_unreachable", reason=str(error))
            code, text = grpc.StatusCode.UNAVAILABLE, "the database cannot be reached"
        except Exception:
            log.exception("administration_failed")
            code, text = grpc.StatusCode.INTERNAL, "internal error; the control plane's log has it"
        await context.abort(code, text)
        raise AssertionError  # pragma: no cover  # abort raises

    return answer


class Calls:
    """The RPCs of `protos/administration.proto`: from a message and its caller to a message."""

    def __init__(self, administration: Administration) -> None:
        """Take the rules."""
        self._administration = administration

    async def list_pods(self, request: pb.ListPodsRequest, _: Caller) -> pb.ListPodsResponse:
        """List pods."""
        zone = request.availability_zone
        fleet = await self._administration.pods()
        found = [pod for pod in fleet if zone in ("", pod.availability_zone)]
        return pb.ListPodsResponse(pods=map(messages.pod_message, found))

    async def get_pod(self, request: pb.GetPodRequest, _: Caller) -> pb.Pod:
        """Show one pod."""
        message = messages.pod_message(await self._administration.pod(request.name))
        message.resources = await self._administration.count_owned(request.name)
        readiness = await self._administration.readiness(request.name)
        message.ready = readiness.ready
        message.pending = readiness.pending
        message.problems.update(readiness.problems)
        return message

    async def apply_pods(
        self, request: pb.ApplyPodsRequest, caller: Caller
    ) -> pb.ApplyPodsResponse:
        """Make pods be as the request says."""
        specs = [messages.spec_of(pod) for pod in request.pods]
        applied = await self._administration.apply(specs, dry_run=request.dry_run)
        if not request.dry_run:
            outcomes = {entry.pod.name: entry.outcome.value for entry in applied}
            log.info("pods_applied", user=caller.user_id, pods=outcomes)
        return pb.ApplyPodsResponse(results=map(messages.applied_message, applied))

    async def set_pod_state(self, request: pb.SetPodStateRequest, caller: Caller) -> pb.Pod:
        """Enable, cordon or disable a pod."""
        state = parse_state(request.state, request.name)
        pod = await self._administration.set_state(request.name, state)
        log.info("pod_state_set", user=caller.user_id, pod=pod.name, state=pod.state.value)
        return messages.pod_message(pod)

    async def delete_pod(
        self, request: pb.DeletePodRequest, caller: Caller
    ) -> pb.DeletePodResponse:
        """Take a pod out."""
        await self._administration.delete_pod(request.name, force=request.force)
        log.info("pod_deleted", user=caller.user_id, pod=request.name, force=request.force)
        return pb.DeletePodResponse()

    async def list_bindings(
        self, request: pb.ListBindingsRequest, _: Caller
    ) -> pb.ListBindingsResponse:
        """List bindings."""
        pod_id = (await self._administration.pod(request.pod)).id if request.pod else ""
        found = await self._administration.bindings(request.project_id, pod_id)
        fleet = await self._administration.pods()
        return pb.ListBindingsResponse(
            bindings=[messages.binding_message(binding, fleet) for binding in found]
        )

    async def create_binding(self, request: pb.CreateBindingRequest, caller: Caller) -> pb.Binding:
        """Bind a project to a pod."""
        pod = await self._administration.pod(request.pod)
        binding = await self._administration.create_binding(request.project_id, pod)
        log.info("binding_created", user=caller.user_id, pod=pod.name, project=binding.project_id)
        return messages.binding_message(binding, await self._administration.pods())

    async def delete_binding(
        self, request: pb.DeleteBindingRequest, caller: Caller
    ) -> pb.DeleteBindingResponse:
        """Take a binding out."""
        await self._administration.delete_binding(request.id)
        log.info("binding_deleted", user=caller.user_id, id=request.id)
        return pb.DeleteBindingResponse()

    async def locate(self, request: pb.LocateRequest, _: Caller) -> pb.Location:
        """Say who owns an id."""
        return messages.location_message(await self._administration.locate(request.id))

    async def list_zones(self, _request: pb.ListZonesRequest, _: Caller) -> pb.ListZonesResponse:
        """List zones."""
        zones = await self._administration.zones()
        return pb.ListZonesResponse(zones=map(messages.zone_message, zones))

    async def proxy_status(
        self, _request: pb.ProxyStatusRequest, _: Caller
    ) -> pb.ProxyStatusResponse:
        """Say what each connected Envoy has."""
        nodes = self._administration.proxies()
        return pb.ProxyStatusResponse(proxies=map(messages.proxy_message, nodes))

    async def list_pending(
        self, request: pb.ListPendingRequest, _: Caller
    ) -> pb.ListPendingResponse:
        """List the writes that pods are still to be told."""
        found = await self._administration.pending(request.pod)
        return pb.ListPendingResponse(writes=map(messages.pending_message, found))
