"""All pods at one moment, as the handlers and the snapshot builder see them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Fleet:
    """An immutable set of pods, in the order of their names."""

    pods: tuple[Pod, ...] = ()

    @classmethod
    def of(cls, pods: Iterable[Pod]) -> "Fleet":
        """Order the pods by name, so that every replica sees the same order."""
        return cls(tuple(sorted(pods, key=lambda pod: pod.name)))

    def __iter__(self) -> Iterator[Pod]:
        """Iterate over all pods, disabled ones too."""
        return iter(self.pods)

    def get(self, name: str) -> Pod | None:
        """Find a pod by name."""
        return next((pod for pod in self.pods if pod.name == name), None)

    @property
    def serving(self) -> tuple[Pod, ...]:
        """The pods that are asked."""
        return tuple(pod for pod in self.pods if pod.serves)

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones users see, sorted, each once."""
        return tuple(sorted({pod.availability_zone for pod in self.serving}))

    def in_zone(self, zone: str) -> tuple[Pod, ...]:
        """Find the serving pods of one zone."""
        return tuple(pod for pod in self.serving if pod.availability_zone == zone)
