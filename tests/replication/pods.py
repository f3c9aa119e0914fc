"""Pods in memory that keep flavors, types, QoS specs and key pairs, as Nova and Cinder do."""

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from multidict import CIMultiDict

from control_plane.model.errors import PodUnreachable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest

POD1, POD2, POD3, POD4 = (Pod(f"id{n}", f"Pod{n}", f"az{n}", number=n) for n in (1, 2, 3, 4))

#: Collection to (key of one, key of many, field that must be unique).
KINDS = {
    "flavors": ("flavor", "flavors", "id"),
    "os-keypairs": ("keypair", "keypairs", "name"),
    "types": ("volume_type", "volume_types", "name"),
    "qos-specs": ("qos_specs", "qos_specs", "name"),
    "group_types": ("group_type", "group_types", "name"),
}
_PARTS = {
    "os-extra_specs": "extra_specs",
    "extra_specs": "extra_specs",
    "group_specs": "group_specs",
}
_ACCESS = {
    "os-flavor-access": ("flavor_access", "tenant_id"),
    "os-volume-type-access": ("volume_type_access", "project_id"),
}


@dataclass
class Fake:
    """One pod: its things by collection, and how it misbehaves."""

    name: str
    things: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: Does not answer at all.
    away: bool = False
    #: Carries the next so many writes out and loses the answer.
    loses: int = 0
    #: Takes the process that asks it with it, before it has carried anything out or after.
    kills: str = ""
    #: (method, end of path) to the status of a refusal.
    refuses: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Once it has carried a write out, it answers no more ("away"), or fails at everything ("500").
    worn: str = ""
    default: str = ""
    defaults: dict[str, int] = field(default_factory=lambda: {"cores": 20, "ram": 50})
    quota: dict[str, int] = field(default_factory=lambda: {"cores": 20, "ram": 50})
    writes: list[tuple[str, str]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def all(self, collection: str) -> dict[str, dict[str, Any]]:
        return self.things.setdefault(collection, {})


class Killed(BaseException):
    """The process that asked is dead."""


class Pods:
    """Answers requests to pods."""

    def __init__(self, *names: str) -> None:
        self.pods = {name: Fake(name) for name in names or ("Pod1", "Pod2", "Pod3")}
        self._ids = itertools.count(1)

    def __getitem__(self, name: str) -> Fake:
        return self.pods[name]

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        fake = self.pods[pod.name]
        if fake.away:
            raise PodUnreachable(pod.name, "refused the connection")
        path, _, query = request.path.partition("?")
        rest = re.sub(r"^/v[\d.]+(/project)?", "", path)
        write = request.method != "GET" or "associate" in rest.rpartition("/")[2]
        if write:
            fake.writes.append((request.method, rest + (f"?{query}" if query else "")))
            if fake.kills == "before":
                raise Killed
        else:
            fake.reads.append(rest)
        body = json.loads(request.body) if request.body else {}
        if body and request.headers.get("content-type") != "application/json":
            return PodAnswer(pod, 500, CIMultiDict(), b"no body that can be read")
        status, content = self._answer(fake, request.method, rest, parse_qs(query), body)
        if write and fake.kills == "after":
            raise Killed
        if write and fake.loses:
            fake.loses -= 1
            raise PodUnreachable(pod.name, "TimeoutError")
        if write and fake.worn:
            fake.away = fake.worn == "away"
            fake.refuses.update({(verb, ""): 500 for verb in ("GET", "PUT", "POST", "DELETE")})
        raw = json.dumps(content).encode() if content is not None else b""
        return PodAnswer(pod, status, CIMultiDict({"content-type": "application/json"}), raw)

    def _answer(  # noqa: C901, PLR0911  # one line a route, as in a table
        self, fake: Fake, method: str, rest: str, query: dict[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        for (verb, end), status in fake.refuses.items():
            if verb == method and rest.endswith(end):
                return status, {"fault": {"code": status, "message": f"{fake.name} says no"}}
        collection, *segments = [unquote(part) for part in rest.split("/")[1:]]
        if collection == "os-quota-sets":
            if method == "PUT":
                fake.quota.update(body["quota_set"])
            elif method == "DELETE":
                fake.quota = dict(fake.defaults)
                return 202, None
            if segments[-1] == "defaults":
                return 200, {"quota_set": {"id": "p", **fake.defaults}}
            return 200, {"quota_set": {"id": "p", **fake.quota}}
        if collection == "default-types":
            return self._default(fake, method, body)
        one, many, _ = KINDS[collection]
        things = fake.all(collection)
        if not segments and method == "GET":
            return 200, {many: [self._shown(collection, one, item) for item in things.values()]}
        if not segments:
            return self._create(fake, collection, dict(body[one]))
        item = things.get(segments[0])
        if item is None or query.get("user_id", [item.get("user_id")]) != [item.get("user_id")]:
            return 404, {"itemNotFound": {"code": 404, "message": "not found"}}
        if len(segments) == 1:
            return self._one(fake, collection, method, item, body)
        return self._part(fake, method, segments, item, query, body)

    def _default(self, fake: Fake, method: str, body: Any) -> tuple[int, Any]:
        if method == "PUT":
            fake.default = body["default_type"]["volume_type"]
        elif method == "DELETE":
            fake.default = ""
        if not fake.default:
            return 404 if method == "GET" else 204, None
        return 200, {"default_type": {"project_id": "p", "volume_type_id": fake.default}}

    def _shown(self, collection: str, one: str, item: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in item.items() if not key.startswith("_")}
        if "qos_specs_id" in item:
            shown["os-volume-type-access:is_public"] = item["is_public"]
        return {one: shown} if collection == "os-keypairs" else shown

    def _create(self, fake: Fake, collection: str, new: dict[str, Any]) -> tuple[int, Any]:
        one, _, unique = KINDS[collection]
        things = fake.all(collection)
        if any(item[unique] == new[unique] for item in things.values()):
            return 409, {"conflictingRequest": {"code": 409, "message": "exists"}}
        if collection == "os-keypairs":
            new.setdefault("public_key", f"generated by {fake.name}")
            new.setdefault("user_id", "user")
            identity = new["name"]
        elif collection == "flavors":
            identity = new["id"]
            new.setdefault("os-flavor-access:is_public", True)
        else:
            identity = new["id"] = f"{fake.name}-{next(self._ids)}"
        if collection == "qos-specs":
            known = ("id", "name", "consumer")
            new = {
                **{key: value for key, value in new.items() if key in known},
                "specs": {key: value for key, value in new.items() if key not in known},
            }
        if collection == "types":
            new["is_public"] = new.pop("os-volume-type-access:is_public", True)
            new.setdefault("extra_specs", {})
            new.setdefault("qos_specs_id", None)
        things[identity] = new
        return 200, {one: self._shown("", one, new)}

    def _one(
        self, fake: Fake, collection: str, method: str, item: dict[str, Any], body: Any
    ) -> tuple[int, Any]:
        one = KINDS[collection][0]
        if method == "DELETE":
            things = fake.all(collection)
            del things[next(key for key, held in things.items() if held is item)]
            return 202, None
        if method == "PUT" and collection == "qos-specs":
            item["specs"].update(body[one])
        elif method == "PUT":
            item.update(body[one])
        return 200, {one: self._shown("", one, item)}

    def _part(  # noqa: C901, PLR0911, PLR0912  # as above
        self,
        fake: Fake,
        method: str,
        segments: list[str],
        item: dict[str, Any],
        query: dict[str, list[str]],
        body: Any,
    ) -> tuple[int, Any]:
        part, *key = segments[1:]
        if part in _PARTS:
            specs = item.setdefault(_PARTS[part], {})
            if method == "POST":
                specs.update(body[_PARTS[part]])
            elif method == "DELETE":
                specs.pop(key[0], None)
            return 200, {_PARTS[part]: specs}
        if part in _ACCESS:
            name, project = _ACCESS[part]
            return 200, {name: [{project: entry} for entry in sorted(item.get("_access", ()))]}
        if part == "action":
            [(action, argument)] = body.items()
            [project] = argument.values()
            held = item.setdefault("_access", set())
            (held.discard if action.startswith("remove") else held.add)(project)
            return 202, None
        if part == "encryption":
            if method == "GET":
                return 200, item.get("_encryption", {})
            if method == "DELETE":
                item.pop("_encryption", None)
                return 202, None
            made = {"encryption_id": f"{fake.name}-e", **body["encryption"]}
            item["_encryption"] = made
            return 200, {"encryption": made}
        if part == "disassociate_all":
            for kind in fake.all("types").values():
                if kind["qos_specs_id"] == item["id"]:
                    kind["qos_specs_id"] = None
            return 202, None
        if part == "associations":
            bound = [
                {"association_type": "volume_type", "id": key, "name": kind["name"]}
                for key, kind in fake.all("types").items()
                if kind["qos_specs_id"] == item["id"]
            ]
            return 200, {"qos_associations": bound}
        if part == "delete_keys":
            for name in body["keys"]:
                item["specs"].pop(name, None)
            return 202, None
        kind = fake.all("types").get(query["vol_type_id"][0])
        if kind is None:
            return 404, {"itemNotFound": {"code": 404, "message": "no such type"}}
        kind["qos_specs_id"] = item["id"] if part == "associate" else None
        return 202, None
