"""An intent: a write that a pod is to be told, written down before any pod is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Intent:
    """A request in the users' words, to be made in one pod by the gateway's own token.

    `subject` is what it changes; intents for one subject are carried out in the order of their
    ids. `sent` says that it may have reached the pod already, so that a create must look first.
    `refused`: the pod said no for good, for the `reason`; it stays to be seen and is not repeated.

    Intents of one write, which stand for it in each pod, share the `write_id`. `held`: no pod has
    agreed to the write yet, and the first one that is asked decides for all. `doing`: who began
    the write is at it, until `due_at`, which it moves on as long as it lives.
    """

    pod: str
    subject: str
    service: str
    method: str
    path: str
    body: Any = None
    version: str = ""
    user_id: str = ""
    project_id: str = ""
    sent: bool = False
    refused: bool = False
    reason: str = ""
    attempts: int = 0
    due_at: datetime | None = None
    created_at: datetime | None = None
    write_id: str = ""
    held: bool = False
    doing: bool = False
    id: int = 0

    def under_way(self, now: datetime) -> bool:
        """Whether who began it is at it."""
        return self.doing and self.due_at is not None and self.due_at > now
