"""What one stream wants and has of one type of resource."""

from collections.abc import Iterable, Mapping
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
    #: Where `offered` may differ from what the node should have; everywhere else it does not.
    #: What one change costs depends on it: no other name is looked at.
    doubtful: set[str] = field(default_factory=set)
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

    def doubt(self, names: Iterable[str]) -> None:
        """Note what the node may not have as it should."""
        self.doubtful.update(names)

    def settle(self, snapshot: Snapshot) -> None:
        """Look at what is doubtful, and forget what turns out to be as it should."""
        self.doubtful = {name for name in self.doubtful if not self._agrees(name, snapshot)}

    def changed(self, snapshot: Snapshot) -> list[Resource]:
        """List what the node was not offered in this version.

        Whatever was refused is listed again as soon as anything else is, and not before.
        """
        existing = snapshot.of_type(self.type_url)
        fresh = {
            name
            for name in self.doubtful
            if self.wants(name) and name in existing and not self._offers(existing[name])
        }
        if not fresh:
            return []
        fresh.update(name for name in self.refused if self.wants(name) and name in existing)
        return [existing[name] for name in sorted(fresh)]

    def gone(self, snapshot: Snapshot) -> list[str]:
        """List what the node was offered and should no longer have."""
        existing = snapshot.of_type(self.type_url)
        return sorted(
            name
            for name in self.doubtful
            if name in self.offered and not (self.wants(name) and name in existing)
        )

    def missing(self, snapshot: Snapshot) -> list[str]:
        """List what the node asked for, does not exist, and it was not told so."""
        existing = snapshot.of_type(self.type_url)
        return sorted(
            name
            for name in self.doubtful
            if name in self.names
            and name not in existing
            and name not in self.offered
            and name not in self.absent
        )

    def wants(self, name: str) -> bool:
        """Whether the node asked for a name."""
        return self.wildcard or name in self.names

    def _offers(self, resource: Resource) -> bool:
        offered = self.offered.get(resource.name)
        return offered is not None and offered.version == resource.version

    def _agrees(self, name: str, snapshot: Snapshot) -> bool:
        resource = snapshot.of_type(self.type_url).get(name) if self.wants(name) else None
        if resource is not None:
            return self._offers(resource)
        return name not in self.offered and (name not in self.names or name in self.absent)

    def forget_refused(self, names: set[str]) -> None:
        """Note that a refusal of some names matters no more."""
        self.refused -= names
        if not self.refused:
            self.reason = ""
