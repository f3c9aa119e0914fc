"""A pod: one complete OpenStack cloud behind the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

#: The highest number a pod can have: twelve bits of an integer that users see.
HIGHEST_NUMBER = 4095


class PodState(StrEnum):
    """What a pod may be used for."""

    ENABLED = "enabled"
    #: Serves what it has and takes no creates.
    CORDONED = "cordoned"
    #: Is not asked at all.
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod as operators define it; `name` is its Keystone region and never changes.

    `endpoints` maps a service's name (compute, volume, image, network, placement) to a URL and
    holds only what the operator set: the rest is read from the Keystone catalog.
    `pod_availability_zone` is the zone's name inside the pod; empty means that creates carry none.
    `number` is given by the store, from 1 to `HIGHEST_NUMBER`, and never changes: integers that
    pods count for themselves are told apart by it. 0: the store has not seen the pod yet.
    """

    id: str
    name: str
    availability_zone: str
    pod_availability_zone: str = ""
    data_center: str = ""
    state: PodState = PodState.ENABLED
    weight: int = 100
    labels: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    number: int = 0

    @property
    def serves(self) -> bool:
        """Whether the pod is asked at all."""
        return self.state is not PodState.DISABLED

    @property
    def takes_creates(self) -> bool:
        """Whether the scheduler may pick the pod."""
        return self.state is PodState.ENABLED and self.weight > 0
