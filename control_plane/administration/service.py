"""The rules of administration, whoever asks over whichever protocol.

`authorize` first, then one of the others. A change of pods is told to `on_change`, so that this
replica serves by it before the operator has the answer; other replicas find it in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from control_plane.administration.spec import PodSpec, check_all, check_count, differences, is_text
from control_plane.model.binding import Binding
from control_plane.model.caller import Caller
from control_plane.model.errors import Conflict, InUse, Invalid, Missing, Refused
from control_plane.model.fleet import Fleet
from control_plane.model.intent import Intent
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod, PodState
from control_plane.replication.arrival import FACT, GAINED
from control_plane.xds.nodes import NodeStatus


class AdministeredStore(Protocol):
    """The part of the store that operators change."""

    async def fleet(self) -> Fleet:
        """Read all pods."""

    async def create_pod(self, pod: Pod) -> Pod:
        """Write a new pod; Conflict."""

    async def replace_pod(self, pod: Pod) -> Pod:
        """Write a pod over the one of the same name; Missing."""

    async def delete_pod(self, name: str, *, force: bool = False) -> None:
        """Take a pod out; Missing, InUse."""

    async def count_owned(self, pod: str) -> int:
        """Count the resources of a pod."""

    async def intents(self, pod: str = "") -> list[Intent]:
        """Read the writes that pods are still to be told."""

    async def facts(self, pod: str) -> Mapping[str, object]:
        """Read what is stored of a pod."""

    async def bindings(
        self, project_id: str | None = None, pod_id: str | None = None
    ) -> list[Binding]:
        """Read bindings."""

    async def binding(self, id: str) -> Binding | None:  # noqa: A002
        """Read one binding."""

    async def create_binding(self, project_id: str, availability_zone: str, pod_id: str) -> Binding:
        """Bind a project in a zone; Conflict, Missing."""

    async def delete_binding(self, id: str) -> None:  # noqa: A002
        """Take a binding out; Missing."""


class Outcome(StrEnum):
    """What applying did to a pod."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Applied:
    """A pod after it was applied, and the fields that changed if it was there before."""

    pod: Pod
    outcome: Outcome
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """Who owns an id, its pod's zone (empty when the pod was taken out), and who knew."""

    owner: Owner
    availability_zone: str
    source: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone users see, and its pods that are asked."""

    name: str
    available: bool
    pods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a pod has what the others have, what it is still to be told and could not take."""

    ready: bool
    pending: int
    problems: Mapping[str, str]


class ZoneInUse(InUse):
    """A pod is to go to another zone while users have resources in it."""

    def __init__(self, pod: str, resources: int) -> None:
        """Keep how many."""
        super().__init__(pod, resources)
        self.args = (
            f"the zone of pod {pod} cannot change: users have {resources} resources in it",
        )


OnChange = Callable[[], Awaitable[None]]
Verify = Callable[[str], Awaitable[Caller]]
Locate = Callable[[str], Awaitable[Located | None]]
Nodes = Callable[[], Iterable[NodeStatus]]


class Administration:
    """Changes and shows pods and bindings, by the rules."""

    def __init__(
        self,
        store: AdministeredStore,
        on_change: OnChange,
        locate: Locate,
        verify: Verify,
        nodes: Nodes,
    ) -> None:
        """Take what it stands on; nothing is read before the first call."""
        self._store = store
        self._on_change = on_change
        self._verify = verify
        self._locate = locate
        self._nodes = nodes
        # Checks of a change and the change itself are several statements.
        self._changing = asyncio.Lock()

    async def authorize(self, token: str) -> Caller:
        """Say who a token is; Refused(401) if it is none, Refused(403) without the admin role."""
        caller = await self._verify(token)
        if not caller.is_admin:
            message = "The admin role is required."
            raise Refused(HTTPStatus.FORBIDDEN, message)
        return caller

    async def pods(self) -> Fleet:
        """Read all pods."""
        return await self._store.fleet()

    async def pod(self, name: str) -> Pod:
        """Read a pod by its name; Missing."""
        found = (await self._store.fleet()).get(name)
        if found is None:
            message = f"no pod named {name}"
            raise Missing(message)
        return found

    async def pod_of_id(self, pod_id: str) -> Pod:
        """Read a pod by its id; Missing."""
        for pod in await self._store.fleet():
            if pod.id == pod_id:
                return pod
        message = f"no pod with the id {pod_id}"
        raise Missing(message)

    async def count_owned(self, name: str) -> int:
        """Count the resources that are known to be in a pod."""
        return await self._store.count_owned(name)

    async def pending(self, pod: str = "") -> list[Intent]:
        """Read the writes that a pod, or any, is still to be told; Missing for no such pod."""
        if pod:
            await self.pod(pod)
        return await self._store.intents(pod)

    async def readiness(self, name: str) -> Readiness:
        """Say whether a pod has the definitions of the others."""
        facts = await self._store.facts(name)
        told = [
            problems
            for key, problems in facts.items()
            if (key == FACT or key.startswith(GAINED)) and isinstance(problems, dict)
        ]
        now = datetime.now(UTC)
        waiting = [
            intent
            for intent in await self._store.intents(name)
            if not intent.refused and not intent.under_way(now)
        ]
        return Readiness(
            ready=isinstance(facts.get(FACT), dict) and not waiting,
            pending=len(waiting),
            problems={what: why for problems in told for what, why in problems.items()},
        )

    async def apply(
        self, pods: Iterable[PodSpec | Mapping[str, object]], *, dry_run: bool = False
    ) -> list[Applied]:
        """Make pods be as told, in the operators' form; all are checked before one is written.

        Raises Invalid, and ZoneInUse for a pod that would take users' resources to another zone.
        """
        specs = [pod if isinstance(pod, PodSpec) else PodSpec.read(pod) for pod in pods]
        check_all(specs)
        async with self._changing:
            fleet = await self._store.fleet()
            check_count({pod.name for pod in fleet} | {spec.name for spec in specs})
            applied = [await self._compare(spec, fleet.get(spec.name)) for spec in specs]
            if dry_run:
                return applied
            written = [await self._write(entry) for entry in applied]
        if any(entry.outcome is not Outcome.UNCHANGED for entry in written):
            await self._on_change()
        return written

    async def _compare(self, spec: PodSpec, present: Pod | None) -> Applied:
        wanted = spec.over(present)
        if present is None:
            return Applied(wanted, Outcome.CREATED)
        changed = differences(present, wanted)
        if not changed:
            return Applied(present, Outcome.UNCHANGED)
        if "availability_zone" in changed:
            # As Nova refuses it for an aggregate whose hosts have servers: users placed them there.
            owned = await self._store.count_owned(present.name)
            if owned:
                raise ZoneInUse(present.name, owned)
        return Applied(wanted, Outcome.CONFIGURED, changed)

    async def _write(self, entry: Applied) -> Applied:
        if entry.outcome is Outcome.UNCHANGED:
            return entry
        if entry.outcome is Outcome.CREATED:
            try:
                return replace(entry, pod=await self._store.create_pod(entry.pod))
            except Conflict:
                # Another replica applies the same file, as they do when they start together.
                return replace(entry, pod=await self._store.replace_pod(entry.pod))
        pod = await self._store.replace_pod(entry.pod)
        if "availability_zone" in entry.changed:
            for binding in await self._store.bindings(pod_id=pod.id):
                if binding.availability_zone != pod.availability_zone:
                    await self._store.delete_binding(binding.id)
        return replace(entry, pod=pod)

    async def create_pod(self, spec: PodSpec) -> Pod:
        """Make a new pod; Invalid, or Conflict if its name is taken."""
        spec.check()
        pod = await self._store.create_pod(spec.over(None))
        await self._on_change()
        return pod

    async def set_state(self, name: str, state: PodState) -> Pod:
        """Enable, cordon or disable a pod; Missing."""
        async with self._changing:
            present = await self.pod(name)
            if present.state is state:
                return present
            pod = await self._store.replace_pod(replace(present, state=state))
        await self._on_change()
        return pod

    async def delete_pod(self, name: str, *, force: bool = False) -> None:
        """Take a pod out; Missing, or InUse if it owns resources and `force` is not set."""
        async with self._changing:
            await self.pod(name)
            await self._store.delete_pod(name, force=force)
        await self._on_change()

    async def zones(self) -> list[Zone]:
        """Read the zones users see."""
        fleet = await self._store.fleet()
        return [
            Zone(
                name,
                available=any(pod.takes_creates for pod in fleet.in_zone(name)),
                pods=tuple(pod.name for pod in fleet.in_zone(name)),
            )
            for name in fleet.zones
        ]

    async def bindings(self, project_id: str = "", pod_id: str = "") -> list[Binding]:
        """Read bindings, of one project or of one pod if told."""
        if not is_text(project_id):
            return []
        return await self._store.bindings(project_id or None, pod_id or None)

    async def binding(self, binding_id: str) -> Binding:
        """Read one binding; Missing."""
        found = await self._store.binding(binding_id) if is_text(binding_id) else None
        if found is None:
            message = f"no binding with the id {binding_id}"
            raise Missing(message)
        return found

    async def create_binding(self, project_id: str, pod: Pod) -> Binding:
        """Bind a project to a pod in the pod's zone; Invalid, or Conflict if it is bound there."""
        if not project_id:
            message = "a binding needs a project"
            raise Invalid(message)
        if not is_text(project_id):
            message = f"cannot be the id of a project: {project_id!r}"
            raise Invalid(message)
        return await self._store.create_binding(project_id, pod.availability_zone, pod.id)

    async def delete_binding(self, binding_id: str) -> None:
        """Take a binding out, so that the next create picks a pod anew; Missing."""
        await self.binding(binding_id)
        await self._store.delete_binding(binding_id)

    async def locate(self, resource_id: str) -> Located:
        """Say who owns an id; Missing if nobody is known to."""
        located = await self._locate(resource_id) if is_text(resource_id) else None
        if located is None:
            message = f"no pod is known to own {resource_id}"
            raise Missing(message)
        return located

    def proxies(self) -> list[NodeStatus]:
        """Say what each connected Envoy has."""
        return sorted(self._nodes(), key=lambda node: node.id)
