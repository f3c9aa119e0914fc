"""What is known of each connected Envoy, for `trio2o proxy-status`, and who is told of changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class SyncState(StrEnum):
    """How far a node is with one type of resource."""

    #: The node accepted all that it should have.
    SYNCED = "SYNCED"
    #: Something is to be sent, or was sent and not answered yet.
    STALE = "STALE"
    #: The node refused the last it was sent and goes on with what it had.
    NACK = "NACK"


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """One type of resource at one node; versions are empty before the first."""

    type_url: str
    state: SyncState
    sent: str
    acked: str
    #: Why the node refused; empty unless the state is NACK.
    reason: str
    #: When the state was last changed by a message.
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One connected Envoy, or other xDS client."""

    id: str
    cluster: str
    variant: str
    connected_at: datetime
    types: tuple[TypeStatus, ...]


class Observer(Protocol):
    """Is told what happens on the streams, for metrics and logs; must not block or raise."""

    def connected(self, node: str, variant: str) -> None:
        """Note a stream whose node has said who it is; `variant` is `sotw` or `delta`."""

    def disconnected(self, node: str) -> None:
        """Note the end of a stream."""

    def sent(self, node: str, type_url: str, version: str) -> None:
        """Note a response."""

    def acked(self, node: str, type_url: str, version: str) -> None:
        """Note that a node took a response."""

    def nacked(self, node: str, type_url: str, version: str, reason: str) -> None:
        """Note that a node refused a response."""

    def module_left_out(self, node: str, module: str) -> None:
        """Note that a node refused its listeners with a module, and gets them without."""


class Silent:
    """An observer that does nothing."""

    def connected(self, node: str, variant: str) -> None:
        """Do nothing."""

    def disconnected(self, node: str) -> None:
        """Do nothing."""

    def sent(self, node: str, type_url: str, version: str) -> None:
        """Do nothing."""

    def acked(self, node: str, type_url: str, version: str) -> None:
        """Do nothing."""

    def nacked(self, node: str, type_url: str, version: str, reason: str) -> None:
        """Do nothing."""

    def module_left_out(self, node: str, module: str) -> None:
        """Do nothing."""
