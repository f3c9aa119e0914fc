"""An intent: a write that a pod could not be told yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Intent:
    """A request in the users' words, to be made in one pod by the gateway's own token.

    `subject` is what it changes; intents for one subject are carried out in the order of their
    ids. `sent` says that it may have reached the pod already, so that a create must look first.
    `refused`: the pod said no for good, for the `reason`; it stays to be seen and is not repeated.
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
    id: int = 0
