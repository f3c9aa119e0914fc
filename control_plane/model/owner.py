"""What the directory knows of one placed resource."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """A placed resource and the pod that has it; the pod never changes.

    `resource` is a name of the tables ("server", "volume"). `created_at` is the pod's own time
    where its answer carried one, else the time of recording.
    """

    id: str
    resource: str
    pod: str
    project_id: str = ""
    created_at: datetime | None = None
