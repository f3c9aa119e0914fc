"""How a list is sorted, narrowed and paged: the columns of resources that are about lists."""

from dataclasses import dataclass
from enum import StrEnum


class Paged(StrEnum):
    """By what a list is cut into pages."""

    #: `limit` and `marker`; a next link where the service has such links.
    MARKER = "marker"
    #: `limit` and `offset` alone; a limit of 0 is none.
    OFFSET = "offset"
    #: Not at all: the parameters go to the pods as they are.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort key of a query and the field of an item that shows it, which may be `image.id`.

    An empty `field`: no item shows it, and its values mean something only inside a pod. `flipped`:
    the shown values sort the other way round (`AUTO` stands for true, `MANUAL` for false).
    `gaps`: some things have no value, and behind a marker pods lose those or repeat them. Below
    microversion `since` the key is ignored.
    """

    key: str
    field: str = ""
    flipped: bool = False
    gaps: bool = False
    since: str = ""


class Says(StrEnum):
    """What the value of a filter says of the pods that can match."""

    #: The name of a zone, or a regular expression that is searched in it.
    ZONE = "zone"
    ZONE_PATTERN = "zone pattern"
    #: The name of a host.
    HOST = "host"
    #: The id of a placed resource.
    ID = "id"
    #: The id of a definition, of which each pod has a copy under an id of its own.
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Narrow:
    """A filter that only some pods can match, or that each takes in words of its own.

    Where the service drops the filter of users who are no administrators, `since` is the first
    microversion that takes it from them and `admin` says that none does; a dropped filter must not
    keep a pod from being asked. `resource` is what a copy is one of.
    """

    parameter: str
    says: Says
    since: str = ""
    admin: bool = False
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Roll:
    """A list of a pod that is asked for now and then: its path, and the fields that are kept."""

    path: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """How a thing is shown whose pod does not answer, from microversion `since` on.

    In lists only where the query has no parameters but `allowed`. `project` and `created` are the
    fields of what is known; `status` and, in a show, `fixed` say that no more is. Of what no owner
    is recorded a `roll` tells what there was; then `allowed` are filters by its fields.
    """

    since: str
    allowed: frozenset[str] = frozenset()
    project: str = ""
    created: str = ""
    status: tuple[str, str] = ("status", "UNKNOWN")
    fixed: tuple[tuple[str, object], ...] = ()
    roll: Roll | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """How the lists of one resource behave beside their default order.

    `sorts` are the sort keys whose name in a query is not the field's, and `ignored` those that
    pods take and do not sort by. `concatenated`: pods come one after the other, because nothing an
    item shows tells the order. Below `paged_since` the list is cut by `paged_below`; `marker` is
    the field that markers name where it is not the identity.

    `leading` is a field and the value by which items at the head of a pod's list come before all
    others, whatever the order. `steady` sorts by what all things have: in that order a pod's list
    is read to its end where `gaps` make its markers useless. `deleted` is a query that makes a list
    show what was deleted, whose ids are good as markers. Below `ascending_before` the default order
    is upward.
    """

    sorts: tuple[Sort, ...] = ()
    ignored: frozenset[str] = frozenset()
    narrows: tuple[Narrow, ...] = ()
    concatenated: bool = False
    paged: Paged = Paged.MARKER
    paged_since: str = ""
    paged_below: Paged = Paged.NONE
    marker: str = ""
    leading: tuple[str, str] | None = None
    steady: tuple[tuple[str, str], ...] = ()
    deleted: tuple[tuple[str, str], ...] = ()
    lost: Lost | None = None
    ascending_before: str = ""
    #: A filter with which the list has no pages; pods refuse to cut it then.
    whole_with: str = ""
    #: A marker that no pod knows is none at all.
    lenient: bool = False


#: What most lists do.
ORDINARY = Listing()
