"""What handlers work with: the directory, the pods, the bindings, the token verifier."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

import structlog

from control_plane.directory.bindings import Bindings
from control_plane.directory.holders import Holders
from control_plane.directory.homes import Homes
from control_plane.directory.lookup import Directory, Question
from control_plane.directory.presence import Presence
from control_plane.directory.rolls import Rolls
from control_plane.handlers.call import Call
from control_plane.handlers.later import Later
from control_plane.lists.cursor import Cursors
from control_plane.model.caller import Caller
from control_plane.model.errors import PodUnreachable, StoreUnreachable, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.replication.bringing import Bringing
from control_plane.replication.broadcast import Broadcast
from control_plane.replication.copies import Copies
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Resource
from control_plane.services.service import Service

log = structlog.get_logger()


class Pods(Protocol):
    """Asks pods through Envoy."""

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request to one pod."""

    async def ask_all(
        self, pods: Iterable[Pod], request: PodRequest
    ) -> tuple[list[PodAnswer], list[PodUnreachable]]:
        """Send one request to several pods."""


class Verifier(Protocol):
    """Says who a token is."""

    async def verify(self, token: str) -> Caller:
        """Give the caller, or raise Refused(401)."""


class Tokens(Protocol):
    """Gives the gateway's own token."""

    async def token(self) -> str:
        """Give a valid token; KeystoneError if there is none."""


def _home(resource: str, service: Service) -> tuple[Service, Resource] | None:
    """Find the service that has a resource with a probe, the caller's own service first."""
    for candidate in (service, *SERVICES):
        found = candidate.resources.get(resource)
        if found is not None and found.probe:
            return candidate, found
    return None


def is_placed(service: Service, resource: str) -> bool:
    """Whether a resource lives in one pod for ever; what several pods may have does not."""
    home = _home(resource, service)
    return home is not None and not home[1].replicated


def _nobody(_: str) -> None:
    """Tell no one."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The collaborators of the handlers."""

    directory: Directory
    holders: Holders
    pods: Pods
    bindings: Bindings
    verifier: Verifier
    #: What pods call what users have once, and how it is written in all of them.
    copies: Copies
    everywhere: Broadcast
    #: Which pods projects may have things in.
    presence: Presence
    #: The gateway's own user, an administrator of each pod.
    own: Tokens | None = None
    #: Where creates go that name no zone, of projects bound nowhere (`Wish.default_zone`).
    default_zone: str = ""
    later: Later = field(default_factory=Later)
    #: Where pods stood behind the last items of pages; not shared between processes.
    cursors: Cursors = field(default_factory=Cursors)
    #: In which pods whole lists had something; not shared between processes.
    homes: Homes = field(default_factory=Homes)
    #: What pods have that answer no more, where no owner is recorded.
    rolls: Rolls | None = None
    #: What brings a user's own things to pods that lack them.
    bringing: Bringing | None = None
    #: Told of a pod that did not answer a create or what else is watched.
    suspect: Callable[[str], None] = _nobody

    async def identify(self, call: Call) -> Caller:
        """Say who makes the call, asking Keystone once a call at most."""
        if call.caller is None:
            call.caller = await self.verifier.verify(call.token)
        return call.caller

    async def question(self, call: Call, resource: str, resource_id: str) -> Question | None:
        """Prepare to ask pods for an id the caller named; None when the resource has no probe.

        A resource of another service is asked at that service's lowest microversion.
        """
        home = _home(resource, call.service)
        if home is None:
            return None
        service, kind = home
        caller = await self.identify(call)
        path = kind.probe.format(id=quote(resource_id, safe=""))
        headers = call.carried
        headers.pop("content-type", None)
        if service is call.service:
            path = call.sibling(path)
        else:
            headers.pop("openstack-api-version", None)
            headers.pop("x-openstack-nova-api-version", None)
            path = service.path(path, caller.project_id)
        return Question(
            resource_id,
            resource,
            service.name,
            path,
            caller.project_id,
            headers,
            call.authority,
            kind.replicated,
        )

    async def owner(self, call: Call, resource: str, resource_id: str) -> Pod | None:
        """Find the pod that owns an id; None when every pod says that it does not.

        Raises Refused(503) when that cannot be said, and when the owner is disabled.
        """
        home = _home(resource, call.service)
        # Copies come and go: no owner may be remembered for ever.
        replicated = home is not None and home[1].replicated
        name, stored = None, True
        if not replicated:
            try:
                name = await self.directory.known(resource_id)
            except StoreUnreachable as error:
                # A map of the truth; the pods know it.
                log.warning("owner_not_read", reason=str(error))
                stored = False
        if name is None:
            question = await self.question(call, resource, resource_id)
            if question is None:
                return None
            pods = call.view.with_service(question.service)
            if replicated:
                return await self.holders.first(question, pods)
            name = await self.directory.owner(question, pods, stored=stored)
        pod = call.view.fleet.get(name) if name else None
        if pod is not None and not pod.serves:
            message = f"Availability zone {pod.availability_zone} is not available now."
            raise unavailable(message)
        return pod
