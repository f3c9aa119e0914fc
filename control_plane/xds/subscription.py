"""What one stream wants and has of one type of resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from control_plane.xds.resource import Resource
from control_plane.xds.snapshot import Snapshot


@dataclass(slots=True)
class Subscription:
    """One type on one stream.

    `offered` is what the node was last sent, refused or not: comparing a snapshot with it, and not
    with what was accepted, is what keeps a refused resource from being sent for ever.
    """

    type_url: str
    changed_at: datetime
    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    offered: dict[str, Resource] = field(default_factory=dict)
    #: Names the node asked for and was told not to exist (delta only).
    absent: set[str] = field(default_factory=set)
    #: What the last response carried or took away.
    flight: set[str] = field(default_factory=set)
    #: What refused responses carried, good parts too: a node refuses a response as a whole.
    refused: set[str] = field(default_factory=set)
    #: Whether a response must go out even if it carries nothing.
    due: bool = False
    #: Of the last response, on this stream.
    nonce: str = ""
    #: Whether the last response still waits for its ACK or NACK.
    waiting: bool = False
    sent: str = ""
    acked: str = ""
    reason: str = ""

    def wanted(self, snapshot: Snapshot) -> Mapping[str, Resource]:
        """Pick what the node asked for, as far as it exists."""
        existing = snapshot.of_type(self.type_url)
        if self.wildcard:
            return existing
        return {name: existing[name] for name in sorted(self.names) if name in existing}

    def changed(self, snapshot: Snapshot) -> list[Resource]:
        """List what the node was not offered in this version.

        Whatever was refused is listed again as soon as anything else is, and not before.
        """
        offered, wanted = self.offered, self.wanted(snapshot)
        fresh = {
            name
            for name, resource in wanted.items()
            if name not in offered or offered[name].version != resource.version
        }
        if not fresh:
            return []
        return [wanted[name] for name in wanted if name in fresh or name in self.refused]

    def gone(self, snapshot: Snapshot) -> list[str]:
        """List what the node was offered and should no longer have."""
        wanted = self.wanted(snapshot)
        return [name for name in self.offered if name not in wanted]

    def missing(self, snapshot: Snapshot) -> list[str]:
        """List what the node asked for, does not exist, and it was not told so."""
        existing = snapshot.of_type(self.type_url)
        return sorted(
            name
            for name in self.names
            if name not in existing and name not in self.offered and name not in self.absent
        )

    def forget_refused(self, names: set[str]) -> None:
        """Note that a refusal of some names matters no more."""
        self.refused -= names
        if not self.refused:
            self.reason = ""
