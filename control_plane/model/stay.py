"""What is known of a project in a pod."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """Since when a project may have things in a pod, and when one was last about to be made there.

    `entered` is None where a process of an older release wrote the stay.
    """

    since: datetime
    entered: datetime | None = None
