"""The Lua of the owner cache: the scripts of envoy/lua with the services' tables before it.

The text depends on the tables, the microversions all pods share, the size and the epoch; a change
of any of them empties the cache of every Envoy at once.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from control_plane.directory.presence import LEASE
from control_plane.lists.inquiry import SORTS
from control_plane.model.endpoint import Endpoint
from control_plane.model.headers import KNOWN, SEEN
from control_plane.model.limits import LONGEST_PAGE_PATH
from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.model.pod import Pod
from control_plane.pods.view import View
from control_plane.processor.learn import describe
from control_plane.services.catalog import SERVICES
from control_plane.services.lane import (
    Lane,
    changes,
    is_home,
    is_whole,
    lane,
    needs_processor_from,
    plain_actions,
)
from control_plane.services.operation import Operation, Resource
from control_plane.services.service import Service
from control_plane.xds.faults import content_type, fault_body
from control_plane.xds.module import envoy_files
from control_plane.xds.resource import digest

#: The lanes on which the processor's first word is its last, and that of lists.
WORDS = ("headers", "seen")
LANES = (*WORDS, "list")

#: One text: what follows uses what is local above.
_SCRIPTS = (
    "owner_cache.lua",
    "parts.lua",
    "words.lua",
    "leases.lua",
    "lists.lua",
    "answers.lua",
)
#: The letters of which lists are full, the rarest first; what is not here is rarer still.
_COMMON = "ZVKWYGJIXzjqkwvxDASOTEPybgufmphcldrsnoiat_-:e"

_PASSES = {Lane.PASS: KNOWN, Lane.SEEN: SEEN, Lane.ACTION: SEEN}
#: Lanes on which the processor's first word is its last.
_UNARY = {Lane.PASS: "headers", Lane.SEEN: "seen"}


class Epoch:
    """Names the time since what is said of the pods last changed; a new pod changes nothing."""

    def __init__(self) -> None:
        """Begin with no pods."""
        self._said: dict[str, tuple[Pod, Mapping[str, Endpoint], str]] = {}
        self._name = ""

    def of(self, view: View) -> str:
        """Give the epoch of a view: a new one when a pod is gone or said to be otherwise."""
        before, self._said = self._said, {pod.name: self._of(view, pod) for pod in view.fleet}
        same = all(
            (now := self._said.get(name)) is said or (now is not None and now[2] == said[2])
            for name, said in before.items()
        )
        if not self._name or not same:
            texts = [self._name, *(self._said[name][2] for name in sorted(self._said))]
            self._name = digest(text.encode() for text in texts)
        return self._name

    def _of(self, view: View, pod: Pod) -> tuple[Pod, Mapping[str, Endpoint], str]:
        facts = view.facts.get(pod.name)
        endpoints = facts.endpoints if facts is not None else {}
        known = self._said.get(pod.name)
        # The same objects almost always: to compare what they hold of a thousand pods takes long.
        if (
            known is not None
            and (known[0] is pod or known[0] == pod)
            and (known[1] is endpoints or known[1] == endpoints)
        ):
            return known
        services = [service for service in SERVICES if service.name in endpoints]
        text = " ".join(describe(view, pod, service) for service in services)
        return pod, endpoints, text


def source(ranges: Mapping[str, MicroversionRange | None], entries: int, epoch: str) -> str:
    """Write the script; `entries` is the size of a generation, of which there are two."""
    shared = tuple(ranges.get(service.name) for service in SERVICES)
    return f"-- epoch {epoch}\nlocal SCRIPT = {_lua(f'{epoch} ')}\n{_below_epoch(shared, entries)}"


@lru_cache(maxsize=4)
def _below_epoch(shared: tuple[MicroversionRange | None, ...], entries: int) -> str:
    """Write what pods that come and go leave as it is; `shared` in the order of the services."""
    text = "\n".join([*_tables(shared, entries), _script()])
    # By its name the module of known ids tells one script from another.
    return f"SCRIPT = SCRIPT .. {_lua(digest([text.encode()]))}\n{text}"


@lru_cache(1)
def _script() -> str:
    """Read the scripts, from the installed package or from the source tree."""
    folder = envoy_files() / "lua"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def _tables(shared: tuple[MicroversionRange | None, ...], entries: int) -> Iterator[str]:
    yield f"local CAPACITY, LEASE = {entries}, {round(LEASE * 1000)}"
    yield f"local LONGEST_PAGE_PATH = {LONGEST_PAGE_PATH}"
    yield "local BY_NAME, BY_PREFIX, BY_VERSION = {}, {}, {}"
    for service, versions in zip(SERVICES, shared, strict=True):
        name = _lua(service.name)
        yield f"BY_NAME[{name}] = {_lua(_service(service, versions))}"
        yield f"BY_PREFIX[{_lua(service.prefix)}] = BY_NAME[{name}]"
        version = _version(service)
        if version and version in service.bare:
            yield f"BY_VERSION[{_lua(version)}] = BY_NAME[{name}]"


def _version(service: Service) -> str:
    return f"/{service.versions[0]}" if service.versions else ""


def _service(service: Service, shared: MicroversionRange | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": service.name,
        "prefix": service.prefix,
        "projects": service.project_segment,
        "optional": dict.fromkeys(sorted(service.optional_prefixes), True),
        "tree": _tree(service),
        "unread": {
            "kind": content_type(service.fault),
            "body": fault_body(service.fault, HTTPStatus.BAD_GATEWAY),
        },
    }
    if service.versions:
        described["version"] = _version(service)
    rules = service.microversions
    if rules is not None:
        described["versions"] = {
            "standard": f"^{_escaped(rules.service_type)} ([1-9]%d*)%.(%d+)$",
            **({"legacy": rules.legacy} if rules.legacy else {}),
            **(_range(shared) if shared is not None else {}),
        }
    return described


def _range(shared: MicroversionRange) -> dict[str, int]:
    """Give minor versions; a range over two majors, which no service has, is none."""
    if shared.minimum.major != shared.maximum.major:
        return {}
    return {
        "major": shared.maximum.major,
        "lowest": shared.minimum.minor,
        "highest": shared.maximum.minor,
    }


def _tree(service: Service) -> dict[str, Any]:
    root = _node()
    for operation in service.operations:
        if not operation.path:
            continue
        node = root
        for segment in operation.path.removeprefix("/").split("/"):
            node = _below(service, node, segment)
        for method in operation.methods:
            node["rows"][method] = _row(service, operation, method)
    return root


def _node() -> dict[str, Any]:
    return {"literals": {}, "rows": {}}


def _below(service: Service, node: dict[str, Any], segment: str) -> dict[str, Any]:
    """Step down; where `-` and `_` are equal, a name is there in both spellings."""
    found: dict[str, Any]
    if segment.startswith("{"):
        found = node.setdefault("parameter", _node())
        return found
    spellings = [segment]
    if service.underscores:
        spellings += [segment.replace("-", "_"), segment.replace("_", "-")]
    found = node["literals"].get(segment) or _node()
    for spelling in spellings:
        node["literals"].setdefault(spelling, found)
    return found


def _row(service: Service, operation: Operation, method: str) -> dict[str, Any]:
    """Describe a row: the way to the processor, and what is done where the owner is known."""
    kind = lane(service, operation, method)
    row: dict[str, Any] = {"lane": _UNARY.get(kind, kind.value)}
    if kind is Lane.LIST and is_home(service, operation):
        row.update(_home(service.resources[operation.answer], operation))
    if kind not in _PASSES:
        return row
    row["passes"] = _PASSES[kind]
    if kind is Lane.ACTION:
        row["lane"] = Lane.FULL.value
        row["actions"] = dict.fromkeys(sorted(plain_actions(service, operation)), True)
    if kind is not Lane.PASS:
        row["whole"] = is_whole(operation, method)
    resource = service.resources.get(operation.answer)
    if resource is not None and kind is not Lane.PASS:
        row.update(_seen(resource))
    return row


def _home(resource: Resource, operation: Operation) -> dict[str, Any]:
    """Describe a list that one pod may answer, and how names are found in it (lists.lua)."""
    found: dict[str, Any] = {
        "passes": SEEN,
        "home": {
            "limit": "limit",
            **{name: "order" if name in SORTS else "filter" for name in operation.home},
        },
        "links": resource.links_key or "",
        "list": resource.name,
    }
    below = needs_processor_from(resource)
    if below is not None:
        found["below"] = below.minor
    names = [(change.path.rpartition(".")[2], change.kind) for change in changes(resource)]
    if names:
        found["resource"] = {
            "seeks": [
                *({**_seek(name), "kind": kind} for name, kind in names),
                *(
                    {**_seek(name), "since": Microversion.parse(since).minor}
                    for name, since in resource.free
                ),
            ],
            "texts": [_seek(name) for name in resource.free_texts],
        }
    return found


def _seek(name: str) -> dict[str, Any]:
    """Say how to find a name in an answer: by what follows its rarest letter, where it has one."""
    text = f'{name}":'
    back = min(range(len(name)), key=lambda index: _COMMON.find(name[index]))
    return {
        "needle": text[back:],
        "head": text[:back],
        "back": back + 1,
        "length": len(text) + 1,
    }


def _seen(resource: Resource) -> dict[str, Any]:
    found: dict[str, Any] = {}
    below = needs_processor_from(resource)
    if below is not None:
        found["below"] = below.minor
    if resource.shadows:
        found["alone"] = True
    fields: dict[str, Any] = {}
    marks = []
    for change in changes(resource):
        *outer, last = [name.removesuffix("[]") for name in change.path.split(".")]
        at = fields
        for name in outer:
            at = at.setdefault(name, {})
        at[last] = change.kind
        marks.append({**_seek(last), "kind": change.kind, "deep": bool(outer)})
    if marks:
        described = {"key": resource.key, "plural": resource.plural}
        found["resource"] = {**described, "fields": fields, "marks": marks}
    return found


def _escaped(text: str) -> str:
    """Write a text as a Lua pattern."""
    return "".join(letter if letter.isalnum() else f"%{letter}" for letter in text)


def _lua(value: Any) -> str:
    """Write a value as Lua."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(_letter(letter) for letter in value) + '"'
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return "{" + ", ".join(f"[{_lua(key)}] = {_lua(entry)}" for key, entry in value.items()) + "}"


def _letter(letter: str) -> str:
    plain = letter.isprintable() and letter.isascii() and letter not in '"\\'
    return letter if plain else "".join(f"\\{byte:03d}" for byte in letter.encode())
