"""Pods that list servers as Nova does, in memory: markers, deleted servers, unplaced ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest

UNPLACED = "scheduling"


@dataclass
class Server:
    """One row of a pod's database; `ticks` are tenths of a second, of which users see seconds."""

    id: str
    ticks: int
    name: str = ""
    task_state: str | None = None
    unplaced: bool = False
    deleted: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "created": f"2026-01-01T00:{self.ticks // 600:02}:{self.ticks // 10 % 60:02}Z",
            "name": self.name,
            "status": "ACTIVE",
            "OS-EXT-STS:task_state": UNPLACED if self.unplaced else self.task_state,
            "OS-EXT-AZ:availability_zone": "inner",
        }


#: Orders a pod's servers: by ticks or by seconds, by name, …
_KEYS: Mapping[str, Callable[[Server], Any]] = {
    "created_at": lambda server: server.ticks,
    "display_name": lambda server: server.name.upper(),
    "task_state": lambda server: (server.task_state is not None, server.task_state or ""),
    "uuid": lambda server: server.id,
    # Known to the pod alone.
    "instance_type_id": lambda server: server.id[::-1],
}


@dataclass
class Nova:
    """One pod. `exact`: its database keeps tenths of a second."""

    servers: list[Server]
    max_limit: int = 1000
    exact: bool = False
    dead: bool = False
    queries: list[dict[str, str]] = field(default_factory=list)
    #: How many servers it has listed.
    given: int = 0

    def answer(self, request: PodRequest) -> tuple[int, Any] | None:
        if self.dead:
            return None
        path, _, query = request.path.partition("?")
        if not path.endswith("/servers/detail"):
            return self._show(path.rsplit("/", 1)[1])
        parameters = parse_qsl(query)
        self.queries.append(dict(parameters))
        return self._list(parameters)

    def _show(self, server_id: str) -> tuple[int, Any]:
        found = [row for row in self.servers if row.id == server_id and not row.deleted]
        if not found:
            return 404, {"itemNotFound": {"code": 404, "message": "no"}}
        return 200, {"server": found[0].shown}

    def _list(self, parameters: Sequence[tuple[str, str]]) -> tuple[int, Any]:
        asked = dict(parameters)
        rows = sorted(self.servers, key=lambda row: row.id)
        downward = asked.get("sort_dir", "desc") == "desc"
        rows.sort(key=self._key(asked.get("sort_key", "created_at")), reverse=downward)
        if asked.get("sort_key") == "uuid":
            rows.sort(key=lambda row: row.id, reverse=downward)
        rows.sort(key=lambda row: not row.unplaced)
        if marker := asked.get("marker"):
            ids = [row.id for row in rows]
            if marker not in ids:
                message = f"marker [{marker}] not found"
                return 400, {"badRequest": {"code": 400, "message": message}}
            rows = rows[ids.index(marker) + 1 :]
            if asked.get("sort_key") == "task_state":
                # The database compares nothing with the marker's value.
                rows = [row for row in rows if row.task_state is not None]
        if "changes-since" not in asked:
            rows = [row for row in rows if not row.deleted]
        limit = min(int(asked.get("limit", "1000")), self.max_limit)
        page = [row.shown for row in rows[:limit]]
        self.given += len(page)
        body: dict[str, Any] = {"servers": page}
        if limit and len(page) == limit:
            body["servers_links"] = [{"rel": "next", "href": "http://pod/"}]
        return 200, body

    def _key(self, name: str) -> Callable[[Server], Any]:
        if name == "created_at" and not self.exact:
            return lambda row: row.ticks // 10
        return _KEYS[name]


def script(pods: Mapping[str, Nova]) -> Callable[[Pod, PodRequest], tuple[int, Any] | None]:
    """Let each pod answer for itself."""
    return lambda pod, request: pods[pod.name].answer(request)
