"""Pods that say who they are: each an Envoy whose Lua answers, at a port of its own."""

import json
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench import envoys, samples
from tests.envoy_process import free_port
from tests.load.ids import zone_of

_SCRIPT = Path(__file__).with_name("pod.lua")
_FILTERS = f"{envoys.TYPES}.filters.http"
#: Servers in a pod's list.
LISTED = 3
_NOWHERE = [{"match": {"prefix": "/"}, "direct_response": {"status": 500}}]


@dataclass(slots=True)
class StandIn:
    """One pod, which can be stopped and started again at the same port."""

    folder: Path
    number: int
    #: Octets by which the first server of its list is longer.
    padding: int = 0
    #: Seconds before it answers; KiB of an answer a second, 0: as fast as it goes.
    delay: float = 0.0
    trickle: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    #: The last of what it was asked that no pod should be.
    faults: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def name(self) -> str:
        """As the gateway knows it."""
        return f"Pod{self.number}"

    @property
    def definition(self) -> dict[str, Any]:
        """Describe it in the operators' words."""
        return {
            "name": self.name,
            "availability_zone": zone_of(self.number),
            "pod_availability_zone": "nova",
            "endpoints": {"compute": f"http://127.0.0.1:{self.port}/v2.1"},
        }

    def start(self) -> None:
        """Begin to answer."""
        filters = [envoys.BUFFER, *self._faults(), self._lua(), envoys.ROUTER]
        place = envoys.envoy(self.name, self.folder, _NOWHERE, [], filters, self.port)
        self._running.enter_context(place)

    def stop(self) -> None:
        """Keep what was counted, and refuse connections from now on."""
        self._count()
        self._running.close()

    def total(self, name: str) -> int:
        """Say how often something was counted, over all its lives."""
        before = dict(self.counts)
        self._count()
        found, self.counts = self.counts.get(name, 0), before
        return found

    def moved(self) -> "StandIn":
        """Make the same pod at another port; it has not begun to answer."""
        return replace(self, port=free_port(), _running=ExitStack(), counts={}, faults=[])

    def close(self) -> None:
        """End, whatever it is doing."""
        self._running.close()

    def _count(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/counts", timeout=60) as answer:
            found = json.loads(answer.read())
        self.faults += [text for text in (found.pop("leaked"), found.pop("strayed")) if text]
        for name, value in found.items():
            self.counts[name] = self.counts.get(name, 0) + value

    def _lua(self) -> dict[str, Any]:
        head = [
            f"local POD, LISTED, PADDING = {self.number}, {LISTED}, {self.padding}",
            f"local EMPTY = [=[{samples.EMPTY.decode()}]=]",
            f"local VERSIONS = [=[{samples.VERSIONS.decode()}]=]",
        ]
        text = "\n".join([*head, _SCRIPT.read_text(encoding="utf-8")])
        code = {"inline_string": text}
        return {
            "name": "envoy.filters.http.lua",
            "typed_config": {
                "@type": f"{_FILTERS}.lua.v3.Lua",
                "default_source_code": code,
            },
        }

    def _faults(self) -> list[dict[str, Any]]:
        every = {"numerator": 100}
        fault: dict[str, Any] = {"@type": f"{_FILTERS}.fault.v3.HTTPFault"}
        if self.delay:
            fault["delay"] = {"fixed_delay": f"{self.delay:g}s", "percentage": every}
        if self.trickle:
            limit = {"fixed_limit": {"limit_kbps": self.trickle}, "percentage": every}
            fault["response_rate_limit"] = limit
        if len(fault) == 1:
            return []
        # Versions and health are asked at the root, and told at once.
        fault["headers"] = [{"name": ":path", "string_match": {"contains": "/servers"}}]
        return [{"name": "envoy.filters.http.fault", "typed_config": fault}]
