"""The types of a service's table: operations, the resources they speak of, and references.

A row says what one method and path is; a handler (found by the row's `handler`) acts on it. Rows
are written with the constructors at the end of this file, one a class of the coverage map:

    route("GET PUT DELETE", "/servers/{server}", answer="server")

The first parameter of a path names the resource whose owner decides the pod, unless `owner` says
where else its id stands.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from control_plane.model.microversion import Microversion
from control_plane.services.definition import Definition
from control_plane.services.listing import ORDINARY, Listing


class Kind(StrEnum):
    """The eight ways in which an endpoint relates to pods."""

    #: One pod owns the id in path, query or body.
    ROUTE = "route"
    #: A create that picks a pod.
    SCHEDULE = "schedule"
    #: A list over pods, merged.
    AGGREGATE = "aggregate"
    #: A write for all pods.
    BROADCAST = "broadcast"
    #: An answer calculated from all pods.
    COMPUTED = "computed"
    #: Names resources that must live in one pod, or needs several pods to act together.
    CROSS = "cross"
    #: A read of something that is the same in every pod that has it.
    SINGLE = "single"
    #: Answered without a pod.
    STATIC = "static"


#: As `handler`: the endpoint is known and answered 501 until somebody handles it.
NOT_YET = ""

_HANDLERS = MappingProxyType(
    {
        Kind.ROUTE: "route",
        Kind.SCHEDULE: "schedule",
        Kind.AGGREGATE: "aggregate",
        Kind.BROADCAST: NOT_YET,
        Kind.COMPUTED: NOT_YET,
        Kind.CROSS: "route",
        Kind.SINGLE: "single",
        Kind.STATIC: NOT_YET,
    }
)


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a request names a resource: a body path (see `reference.py`).

    Examples: `server.networks[].port`, `server.block_device_mapping_v2[source_type=volume].uuid`,
    `os:scheduler_hints|OS-SCH-HNT:scheduler_hints.group`, `port|ports[].network_id`; `?host` is a
    query parameter.
    """

    resource: str
    path: str


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a list's order: a field of an item as the pod shows it."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """A list by which pods say who has a name: its path, its key, the field of names in it."""

    path: str
    key: str
    field: str


@dataclass(frozen=True, slots=True)
class Spread:
    """How a group has members in several pods: the pods beside its own have a shadow of it.

    In the microversion `version` the `fields` say all that a shadow is made of; one of `rules`
    holds the group's rule (or a list of rules). A rule in `together` keeps all members in one pod,
    one in `near` wishes it. `members` is the field that lists them.
    """

    version: str
    fields: tuple[str, ...]
    rules: tuple[str, ...]
    together: frozenset[str]
    near: frozenset[str]
    members: str = "members"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing a service has.

    `probe` is the cheapest path that answers 200 in the pod that has the id and 404 elsewhere.
    `zones` are the fields of an item that hold an availability zone's name (a string or a list),
    `own_zones` those in which operators may also write names that are no zone of users, `hosts`
    those that hold a host's name (a string, a list, the keys of an object), `numbers` those with
    an integer that the pod counts for itself, `obscured` those with a hash of project and host;
    all are paths as in `field.py`. `survey` finds a name that says no pod and has no `probe`.
    `order` is a list's default order, the tie-break included. A `replicated` resource exists once
    for users and in many pods; `merge_by` is the field that says two copies are one. `item_key`
    wraps the fields of each item of a list (`{"keypair": {…}}`). `links` is the key of a list's
    links where it is not `<plural>_links`; None: the list has none. `schema` is the path of the
    list's schema, where a list names it and its first page.
    """

    name: str
    plural: str
    probe: str = ""
    singular: str = ""
    identity: str = "id"
    zones: tuple[str, ...] = ()
    order: tuple[SortKey, ...] = (SortKey("id"),)
    replicated: bool = False
    merge_by: str = "id"
    item_key: str = ""
    links: str | None = ""
    schema: str = ""
    own_zones: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    obscured: tuple[str, ...] = ()
    survey: Survey | None = None
    #: Fields that hold ids which pods invent for what users have once, the own id among them.
    ids: tuple[Ref, ...] = ()
    #: Fields with ids that pods invent for a part of what the path names: one of a kind in it.
    parts: tuple[Ref, ...] = ()
    #: The microversion from which answers show `ids`, where there is one.
    ids_since: str = ""
    #: How its copies are made alike, where every pod has one.
    definition: Definition | None = None
    #: How its lists are sorted, narrowed and paged.
    lists: Listing = ORDINARY
    spread: Spread | None = None
    #: Fields that hold ids of things that may be spread, a pod's shadow among them.
    shadows: tuple[Ref, ...] = ()
    #: Fields that hold ids of other placed things of the same pod, which may be recorded nowhere.
    holds: tuple[Ref, ...] = ()
    #: Names, wherever in an item they stand, of the objects whose keys users or operators choose:
    #: those whose values are texts, and those whose values are anything, with the microversion that
    #: shows them first.
    free_texts: tuple[str, ...] = ()
    free: tuple[tuple[str, str], ...] = ()

    def __hash__(self) -> int:
        """Say it by the name alone: a row is looked up often, and rows hold many rows."""
        return hash((self.name, self.identity))

    @property
    def mapped(self) -> bool:
        """Whether each copy has an id of its own, invented by its pod."""
        return any(ref.resource == self.name and ref.path == self.identity for ref in self.ids)

    @property
    def key(self) -> str:
        """The key that wraps one item in a body."""
        return self.singular or self.name

    @property
    def links_key(self) -> str | None:
        """The key of a list's links; None where the list has none."""
        return f"{self.plural}_links" if self.links == "" else self.links


@dataclass(frozen=True, slots=True)
class Batch:
    """How a create makes several things at once, of which its answer may show one or none.

    `counts` are the body paths of how many; `shared` the field of the answer, and the filter of the
    list, that all of them share; `path` is that list.
    """

    counts: tuple[str, ...]
    shared: str
    path: str


@dataclass(frozen=True, slots=True)
class Releases:
    """What a write sets free: the items under `key` at `path`, each with the `id` of a `resource`.

    The row's `undo` binds one again, named by the query's `parameter`.
    """

    resource: str
    path: str
    key: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: methods on a path, from the first to the last microversion that has it.

    `answer` names the resource in the answer's body, so that its zones can be translated and, when
    `creates` is set, its id recorded. `zone` is the body path of the wanted zone. `pins` are ids
    that force a pod; `copies` name replicated things (an image) that narrow the choice to the pods
    that have them; `same_pod` are ids that must live in the owner's pod. `source` is the path asked
    of the pods for a list when it is not the list's own, and `fields` what is kept of each item.
    """

    methods: tuple[str, ...]
    path: str
    kind: Kind
    handler: str
    since: Microversion | None = None
    until: Microversion | None = None
    owner: Ref | None = None
    answer: str = ""
    creates: bool = False
    zone: str = ""
    pins: tuple[Ref, ...] = ()
    copies: tuple[Ref, ...] = ()
    same_pod: tuple[Ref, ...] = ()
    source: str = ""
    fields: tuple[str, ...] = ()
    #: Body paths that the first pod's answer fills in for the pods that are asked after it.
    copied: tuple[str, ...] = ()
    #: A GET that changes something: never repeated, never asked of several pods.
    side_effect: bool = False
    #: Body paths of host names, which may carry a pod's name (`Pod1~host`) and then pin; `?name`
    #: is a filter by host in the query.
    hosts: tuple[str, ...] = ()
    #: Body paths of zones of which operators may make their own in a pod.
    own_zones: tuple[str, ...] = ()
    #: Ids the new thing must keep away from: what is in another pod is far enough and left out.
    apart: tuple[Ref, ...] = ()
    #: Groups that the new thing joins, which may have members in several pods.
    joins: tuple[Ref, ...] = ()
    #: Names of what the caller has in every pod, and which is brought to a pod that lacks it.
    brings: tuple[Ref, ...] = ()
    batch: Batch | None = None
    #: What the path names is gone when the pod has agreed, as after a DELETE.
    ends: bool = False
    #: What the answer names, which belongs to the caller's project from then on.
    takes: Ref | None = None
    #: Body paths of ids that are made up here when the caller names none, so that all copies agree.
    chosen: tuple[str, ...] = ()
    #: Where a write names the user it is for when the gateway makes it: a body path or `?user_id`.
    user: str = ""
    #: The path whose GET takes back what this one did.
    undo: str = ""
    releases: Releases | None = None
    #: The key of the answer under which a GET of the same path shows the values that this sets or
    #: takes away, and the names by which they are set where the request names none.
    kept: str = ""
    sets: tuple[str, ...] = ()
    #: The path that shows the values which hold where none are set.
    defaults: str = ""
    #: Lists of the answer that hold what each pod says, put together.
    joined: tuple[str, ...] = ()
    #: The path that lists the zones a pod's service knows, where they need not be Nova's.
    known_zones: str = ""
    #: A list that shows what the caller's project has and nothing else, with these query parameters
    #: as without them, all of which mean the same to a pod as here: where a project has things in
    #: one pod alone, that pod's list is the whole list. `limit` and `marker` need not be named.
    home: tuple[str, ...] = ()

    @property
    def handled(self) -> bool:
        """Whether a handler acts on it; if not it is answered 501."""
        return self.handler != NOT_YET

    @property
    def reads_body(self) -> bool:
        """Whether the processor must see the request's body to decide."""
        return bool(
            self.handler in ("schedule", "broadcast", "copies", "together", "action")
            or self.hosts
            or self.own_zones
            or self.zone
            or self.pins
            or self.copies
            or self.same_pod
            or (self.owner and not self.owner.path.startswith("?"))
        )

    @property
    def reads_answer(self) -> bool:
        """Whether the processor must see the answer, once it has read the request's body."""
        return bool(self.answer or self.handler == "action" or self.ends or self.takes)


class Options(TypedDict, total=False):
    """The optional columns of a row; versions are written `2.26`."""

    handler: str
    since: str
    until: str
    owner: Ref
    answer: str
    creates: bool
    zone: str
    pins: tuple[Ref, ...]
    copies: tuple[Ref, ...]
    same_pod: tuple[Ref, ...]
    source: str
    fields: tuple[str, ...]
    copied: tuple[str, ...]
    side_effect: bool
    hosts: tuple[str, ...]
    own_zones: tuple[str, ...]
    apart: tuple[Ref, ...]
    joins: tuple[Ref, ...]
    brings: tuple[Ref, ...]
    batch: Batch
    ends: bool
    takes: Ref
    chosen: tuple[str, ...]
    user: str
    undo: str
    releases: Releases
    kept: str
    sets: tuple[str, ...]
    defaults: str
    joined: tuple[str, ...]
    home: tuple[str, ...]
    known_zones: str


def _row(kind: Kind, methods: str, path: str, options: Options) -> Operation:
    columns: dict[str, Any] = {"handler": _HANDLERS[kind], **options}
    for bound in ("since", "until"):
        if bound in columns:
            columns[bound] = Microversion.parse(columns[bound])
    return Operation(tuple(methods.split()), path, kind, **columns)


def route(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row for a request to the pod that owns an id."""
    return _row(Kind.ROUTE, methods, path, options)


def schedule(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row for a create that picks a pod."""
    options.setdefault("creates", True)
    return _row(Kind.SCHEDULE, methods, path, options)


def aggregate(methods: str, path: str, answer: str, /, **options: Unpack[Options]) -> Operation:
    """Make a row for a list of `answer` over the pods."""
    options["answer"] = answer
    return _row(Kind.AGGREGATE, methods, path, options)


def broadcast(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row for a write that all pods get."""
    return _row(Kind.BROADCAST, methods, path, options)


def computed(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row for an answer calculated from all pods."""
    return _row(Kind.COMPUTED, methods, path, options)


def cross(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row that names resources which must live in one pod."""
    return _row(Kind.CROSS, methods, path, options)


def single(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row for a read that any pod which has the thing answers."""
    return _row(Kind.SINGLE, methods, path, options)


def static(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    """Make a row that is answered without a pod."""
    return _row(Kind.STATIC, methods, path, options)
