"""A binding: the pod that takes a project's creates in one zone."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Binding:
    """One project, one zone, one pod; a project has at most one binding a zone."""

    id: str
    project_id: str
    availability_zone: str
    pod_id: str
    created_at: datetime
    updated_at: datetime | None = None
