"""All pods at one moment, as the handlers and the snapshot builder see them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from control_plane.model.pod import Pod


@dataclass(frozen=True, slots=True)
class Fleet:
    """An immutable set of pods, in the order of their names."""

    pods: tuple[Pod, ...] = ()
    #: The pods that are asked.
    serving: tuple[Pod, ...] = field(init=False, repr=False, compare=False)
    #: The zones users see, sorted, each once.
    zones: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[str, Pod] = field(init=False, repr=False, compare=False)
    _by_id: Mapping[str, Pod] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what every request asks for; the first of a name is found by it."""
        serving = tuple(pod for pod in self.pods if pod.serves)
        found = {
            "serving": serving,
            "zones": tuple(sorted({pod.availability_zone for pod in serving})),
            "_by_name": {pod.name: pod for pod in reversed(self.pods)},
            "_by_id": {pod.id: pod for pod in reversed(self.pods)},
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, pods: Iterable[Pod]) -> "Fleet":
        """Order the pods by name, so that every replica sees the same order."""
        return cls(tuple(sorted(pods, key=lambda pod: pod.name)))

    def __iter__(self) -> Iterator[Pod]:
        """Iterate over all pods, disabled ones too."""
        return iter(self.pods)

    def get(self, name: str) -> Pod | None:
        """Find a pod by name."""
        return self._by_name.get(name)

    def with_id(self, pod_id: str) -> Pod | None:
        """Find a pod by the store's id of it."""
        return self._by_id.get(pod_id)

    def in_zone(self, zone: str) -> tuple[Pod, ...]:
        """Find the serving pods of one zone."""
        return tuple(pod for pod in self.serving if pod.availability_zone == zone)
