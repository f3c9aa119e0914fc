"""The type of an action: what the single key of a `POST …/action` body asks for."""

from dataclasses import dataclass

from control_plane.services.operation import Kind, Ref


@dataclass(frozen=True, slots=True)
class Action:
    """One action; the columns mean what they mean in `Operation`, paths begin with its name.

    `since` and `until` are microversions as text, empty where there is no bound. `creates` names
    the resource of which the action makes one, `made` where its answer has the id of that, if it is
    not the end of a `Location`; `ends` says that the resource itself is gone after.
    """

    kind: Kind = Kind.ROUTE
    since: str = ""
    until: str = ""
    zone: str = ""
    copies: tuple[Ref, ...] = ()
    brings: tuple[Ref, ...] = ()
    same_pod: tuple[Ref, ...] = ()
    creates: str = ""
    made: str = ""
    ends: bool = False
    #: Body paths of host names, which may carry a pod's name: only the resource's own will do.
    hosts: tuple[str, ...] = ()
