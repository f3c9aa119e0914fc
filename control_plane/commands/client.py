"""The administration service as commands call it."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self, TypeVar

import click
import grpc

from control_plane.commands.config import config_option, find_config
from control_plane.commands.token import get_token, in_environment
from control_plane.model.address import Address
from control_plane.model.errors import Trio2oError
from control_plane.pb import administration_pb2 as pb
from control_plane.pb.administration_pb2_grpc import AdministrationStub
from control_plane.settings import Xds, load

_TIMEOUT = 60
_MESSAGE_BYTES = 64 << 20
#: Where a server that listens everywhere is reached from its own host.
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not bound
#: In what gRPC itself says, with `UNAVAILABLE`, of a server that it has not reached.
_AWAY = re.compile("connect|resolving|resolution")

Function = TypeVar("Function", bound=Callable[..., Any])


class CallError(Trio2oError):
    """The control plane does not answer, or refuses; the text is the reason."""


def client_options(function: Function) -> Function:
    """Give a command the options that `connect` takes: the settings and the server."""
    server = click.option(
        "--server",
        envvar="TRIO2O_SERVER",
        metavar="HOST:PORT",
        help="The control plane. Default: xds.listen of the settings.",
    )
    return config_option("--config")(server(function))


def connect(config: Path | None, server: str | None) -> "Client":
    """Get a token and open a channel to the control plane; StartupError."""
    path = find_config(config)
    # An operator on another host has an environment as for `openstack`, and no settings.
    settings = None if path is None and in_environment() else load(path)
    try:
        address = (
            Address.parse(server) if server else settings.xds.listen if settings else Xds().listen
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--server") from error
    reached = Address(_LOCAL.get(address.host, address.host), address.port)
    return Client(str(reached), get_token(settings))


class Client:
    """Calls the service with one token; CallError where it does not do what it is asked."""

    def __init__(self, address: str, token: str) -> None:
        """Take where the control plane is; nothing is connected yet."""
        self._address = address
        self._metadata = (("x-auth-token", token),)
        self._channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.enable_http_proxy", 0),
                ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ],
        )
        self._stub: Any = AdministrationStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the channel."""
        self._channel.close()

    def _call(self, method: str, request: object) -> Any:
        try:
            return getattr(self._stub, method)(request, metadata=self._metadata, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            away = _AWAY.search(error.details())
            if error.code() is grpc.StatusCode.UNAVAILABLE and away:
                message = f"no control plane answers at {self._address}"
            else:
                message = error.details()
            raise CallError(message) from error

    def pods(self) -> list[pb.Pod]:
        """List pods."""
        return list(self._call("ListPods", pb.ListPodsRequest()).pods)

    def pod(self, name: str) -> pb.Pod:
        """Show one pod."""
        found: pb.Pod = self._call("GetPod", pb.GetPodRequest(name=name))
        return found

    def apply(self, pods: Iterable[pb.Pod], *, dry_run: bool) -> list[pb.AppliedPod]:
        """Make pods be as told."""
        request = pb.ApplyPodsRequest(pods=pods, dry_run=dry_run)
        return list(self._call("ApplyPods", request).results)

    def set_state(self, name: str, state: str) -> pb.Pod:
        """Enable, cordon or disable a pod."""
        request = pb.SetPodStateRequest(name=name, state=state)
        changed: pb.Pod = self._call("SetPodState", request)
        return changed

    def delete_pod(self, name: str, *, force: bool) -> None:
        """Take a pod out."""
        self._call("DeletePod", pb.DeletePodRequest(name=name, force=force))

    def bindings(self, pod: str = "") -> list[pb.Binding]:
        """List bindings, of one pod if told."""
        return list(self._call("ListBindings", pb.ListBindingsRequest(pod=pod)).bindings)

    def zones(self) -> list[pb.Zone]:
        """List zones."""
        return list(self._call("ListZones", pb.ListZonesRequest()).zones)

    def pending(self, pod: str = "") -> list[pb.PendingWrite]:
        """List what pods, or one, are still to be told."""
        return list(self._call("ListPending", pb.ListPendingRequest(pod=pod)).writes)

    def locate(self, resource_id: str) -> pb.Location:
        """Say which pod owns an id."""
        found: pb.Location = self._call("Locate", pb.LocateRequest(id=resource_id))
        return found

    def proxies(self) -> list[pb.Proxy]:
        """Say what each connected Envoy has."""
        return list(self._call("ProxyStatus", pb.ProxyStatusRequest()).proxies)
