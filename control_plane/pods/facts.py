"""What a pod says of itself: the endpoints in the catalog and the microversions of its services.

Facts are stored, so that a control plane that starts while a pod or Keystone is down knows what
was true before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import NOT_JSON
from control_plane.model.microversion import Microversion, MicroversionRange

#: Looks at a pod in vain, one after the other, after which it is held to be silent.
SILENT = 2
#: The fact that lists the services whose definitions a pod was given.
GIVEN_SERVICES = "services"


@dataclass(frozen=True, slots=True)
class PodFacts:
    """One pod's endpoints (service name to root) and microversion ranges (service name to range).

    `misses` counts the looks at the pod, one after the other, that found a service silent. It only
    steers creates away from a dead pod; Envoy's own health checks decide about traffic. `ready`:
    the pod has the definitions that the others have; until then it takes no creates. `lacks` are
    services that it has gained since, whose definitions it has not been given.
    """

    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    versions: Mapping[str, MicroversionRange] = field(default_factory=dict)
    misses: int = 0
    ready: bool = True
    lacks: frozenset[str] = frozenset()

    @property
    def settled(self) -> bool:
        """Whether the pod has the definitions of all its services."""
        return self.ready and not self.lacks

    @property
    def reachable(self) -> bool:
        """Whether the pod answers; one silence is an accident, and Envoy may have just started."""
        return self.misses < SILENT


@lru_cache(256)
def _range(lowest: str, highest: str) -> MicroversionRange:
    """Make a range, for all pods that speak the same one."""
    return MicroversionRange(Microversion.parse(lowest), Microversion.parse(highest))


def version_range(body: bytes) -> MicroversionRange | None:
    """Read the range from a service's root document (`GET /`); None if it names none.

    Nova, Cinder and Placement list their versions under `versions` with `min_version` and
    `max_version` (or `version`); Nova's v2.0 has empty ones, so the highest maximum wins.
    """
    try:
        document = msgspec.json.decode(body)
        entries = document["versions"]
        found = []
        for entry in entries:
            lowest = entry.get("min_version")
            highest = entry.get("max_version") or entry.get("version")
            if lowest and highest:
                found.append(_range(lowest, highest))
    except (*NOT_JSON, KeyError, TypeError, ValueError, AttributeError):
        return None
    return max(found, key=lambda entry: entry.maximum, default=None)


def ranges_to_json(ranges: Mapping[str, MicroversionRange]) -> dict[str, list[str]]:
    """Write ranges as the store keeps them."""
    return {name: [str(entry.minimum), str(entry.maximum)] for name, entry in ranges.items()}


def ranges_from_json(stored: object) -> dict[str, MicroversionRange]:
    """Read ranges the store kept; what does not parse is left out."""
    found: dict[str, MicroversionRange] = {}
    if isinstance(stored, dict):
        for name, pair in stored.items():
            try:
                lowest, highest = pair
                found[str(name)] = _range(lowest, highest)
            except (TypeError, ValueError):
                continue
    return found


def endpoints_from_json(stored: object) -> dict[str, Endpoint]:
    """Read endpoint URLs the store kept; what does not parse is left out."""
    found: dict[str, Endpoint] = {}
    items: Mapping[Any, Any] = stored if isinstance(stored, dict) else {}
    for name, url in items.items():
        try:
            found[str(name)] = Endpoint.parse(str(url))
        except ValueError:
            continue
    return found
