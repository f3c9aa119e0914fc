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
    """

    key: str
    field: str = ""
    flipped: bool = False


class Says(StrEnum):
    """What the value of a filter says of the pods that can match."""

    #: The name of a zone, or a regular expression that is searched in it.
    ZONE = "zone"
    ZONE_PATTERN = "zone pattern"
    #: The name of a host.
    HOST = "host"
    #: The id of a placed resource.
    ID = "id"


@dataclass(frozen=True, slots=True)
class Narrow:
    """A filter that only some pods can match.

    Where the service drops the filter of users who are no administrators, `since` is the first
    microversion that takes it from them and `admin` says that none does; a dropped filter must not
    keep a pod from being asked.
    """

    parameter: str
    says: Says
    since: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """How the lists of one resource behave beside their default order.

    `sorts` are the sort keys whose name in a query is not the field's; where there are any, a key
    that is not among them is one that pods ignore or refuse. `concatenated`: pods come one after
    the other, because nothing an item shows tells the order. Below `paged_since` the list is not
    paged; `marker` is the field that markers name where it is not the identity.

    `leading` is a field and the value by which items at the head of a pod's list come before all
    others, whatever the order. `deleted` is a query that makes a list show what was deleted, whose
    ids are good as markers. From `lost_from` on, a list without parameters but `lost_with` shows
    what stands in pods that do not answer. Below `ascending_before` the default order is upward.
    """

    sorts: tuple[Sort, ...] = ()
    narrows: tuple[Narrow, ...] = ()
    concatenated: bool = False
    paged: Paged = Paged.MARKER
    paged_since: str = ""
    marker: str = ""
    leading: tuple[str, str] | None = None
    deleted: tuple[tuple[str, str], ...] = ()
    lost_from: str = ""
    lost_with: frozenset[str] = frozenset()
    ascending_before: str = ""
