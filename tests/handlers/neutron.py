"""A scripted Neutron that sorts, pages and cuts the list of its networks as the real one does."""

from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from control_plane.pods.client import PodRequest

Answer = tuple[int, Any] | None


class Neutron:
    """One pod's networks, each of them its fields."""

    def __init__(self, *networks: dict[str, str]) -> None:
        """Take the networks, in any order."""
        self.networks = list(networks)

    def answer(self, request: PodRequest) -> Answer:
        """Answer a list."""
        asked = parse_qsl(urlsplit(request.path).query, keep_blank_values=True)
        values = dict(asked)
        backward = values.get("page_reverse", "").lower() == "true"
        limit = int(values.get("limit", 0))
        found = self._sorted(asked, backward=backward)
        if limit:
            found = self._page(found, limit, values.get("marker"))
            found = found[::-1] if backward else found
        document: dict[str, Any] = {"networks": [_cut(item, asked) for item in found]}
        if limit and (len(found) == limit or backward):
            document["networks_links"] = [_next(asked, found)]
        return 200, document

    def _sorted(self, asked: list[tuple[str, str]], *, backward: bool) -> list[dict[str, str]]:
        keys = [value for name, value in asked if name == "sort_key"]
        directions = [value for name, value in asked if name == "sort_dir"]
        order = list(zip(keys, directions, strict=True))
        if "id" not in keys:
            order.append(("id", "asc"))
        found = list(self.networks)
        for key, direction in reversed(order):
            found.sort(key=itemgetter(key), reverse=(direction == "desc") != backward)
        return found

    @staticmethod
    def _page(found: list[dict[str, str]], limit: int, marker: str | None) -> list[dict[str, str]]:
        ids = [item["id"] for item in found]
        start = ids.index(marker) + 1 if marker else 0
        return found[start : start + limit]


def _cut(item: dict[str, str], asked: list[tuple[str, str]]) -> dict[str, str]:
    wanted = [value for name, value in asked if name == "fields"]
    return {name: item[name] for name in item if name in wanted} if wanted else item


def _next(asked: list[tuple[str, str]], found: list[dict[str, str]]) -> dict[str, str]:
    kept = [entry for entry in asked if entry[0] not in {"marker", "page_reverse"}]
    marker = [("marker", found[-1]["id"])] if found else []
    return {"rel": "next", "href": f"http://pod/v2.0/networks?{urlencode([*kept, *marker])}"}
