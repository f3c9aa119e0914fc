"""What a handler decides: `Forward` the request to one pod, or `Reply` to it here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Watched:
    """A pod's answer on its way to the client, as far as a handler asked to see it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: Sees a pod's answer and returns the body to send instead, or None to leave it as it is.
Watcher = Callable[[Watched], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Forward:
    """Let Envoy carry the request to a pod; `body` replaces the client's.

    `path`, the query included, replaces the client's where it is not empty: it holds words of the
    pod, such as its own number of a thing.
    """

    pod: Pod
    reason: str
    body: bytes | None = None
    watch: Watcher | None = None
    path: str = ""
    #: The placed resource, as kind and id, whose owner the pod is: Envoy may remember it.
    owned: tuple[str, str] | None = None
    #: A list of a project that has things in no other pod: the owner cache puts the answer into the
    #: users' words, and may route the caller's next ones for a moment.
    home: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the request; `missing` are zones that could not be asked.

    A body given as an iterator is streamed; it may only be used for requests without a body.
    """

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    content_type: str = "application/json"
    reason: str = "answered"


Decision = Forward | Reply
