"""What a pod calls zones, hosts and numbers, said in the users' words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from control_plane.handlers.wording import Word
from control_plane.model.host import shown_host
from control_plane.model.host_id import shown_host_id
from control_plane.model.number import shown_number
from control_plane.model.pod import Pod

#: The zone in which Nova shows its control services; it is no zone users can ask for.
INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class PodWords:
    """What of a pod decides how it is spoken of: equal for one pod in all requests."""

    pod: str
    users_zone: str
    inner_zone: str
    pod_number: int

    @classmethod
    def of(cls, pod: Pod) -> Self:
        """Take them from a pod."""
        return cls(pod.name, pod.availability_zone, pod.pod_availability_zone, pod.number)

    def translate(self, word: Word) -> Callable[[Any], Any]:
        """Give what says a field's value in the users' words."""
        words: dict[Word, Callable[[Any], Any]] = {
            Word.ZONE: self.zone,
            Word.OWN_ZONE: self.own_zone,
            Word.HOST: self.host,
            Word.HOST_ID: self.host_id,
            Word.NUMBER: self.number,
            # Each item's own number says what becomes of its links.
            Word.LINK: str,
        }
        return words[word]

    def zone(self, value: Any) -> Any:
        """Translate a zone's name, or a list of them."""
        if isinstance(value, str) and value and value != INTERNAL:
            return self.users_zone
        if isinstance(value, list):
            return [self.users_zone] if value else value
        return value

    def own_zone(self, value: Any) -> Any:
        """Translate a zone's name when it is the one users see; others are the operator's."""
        return self.zone(value) if value == self.inner_zone else value

    def host(self, value: Any) -> Any:
        """Translate a host's name, a list of them, or an object with them as keys."""
        if isinstance(value, str):
            return shown_host(self.pod, value)
        if isinstance(value, list):
            return [self.host(entry) for entry in value]
        if isinstance(value, dict):
            return {self.host(key): entry for key, entry in value.items()}
        return value

    def number(self, value: Any) -> Any:
        """Translate an integer; an id that is text (a UUID) needs none."""
        if isinstance(value, int) and not isinstance(value, bool):
            return shown_number(self.pod_number, value)
        return value

    def host_id(self, value: Any) -> Any:
        """Translate a hash of project and host."""
        return shown_host_id(self.pod, value) if isinstance(value, str) else value
