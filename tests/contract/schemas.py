"""Nova's own schemas of its answers, exported from the pods' code once a release."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from control_plane.model.microversion import Microversion
from tests.openstack.settings import Settings

_FORMATS = FormatChecker()
_PARAMETER = re.compile(r"{[^}]*}")


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@_FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


@_FORMATS.checks("cidr", raises=ValueError)
def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or ("/" in value and bool(ip_network(value, strict=False)))


@_FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or all(urlsplit(value)[:2])


@dataclass(frozen=True, slots=True)
class _Entry:
    first: Microversion | None
    last: Microversion | None
    validator: Draft202012Validator

    def holds_at(self, version: Microversion) -> bool:
        early = self.first is not None and version < self.first
        late = self.last is not None and version > self.last
        return not (early or late)


class Schemas:
    """Answers by method, path and action; parameters of a path may have any name."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Compile what the export printed."""
        self._entries: dict[tuple[str, str, str], list[_Entry]] = {}
        for entry in entries:
            key = (entry["method"], _PARAMETER.sub("{}", entry["path"]), entry["action"])
            self._entries.setdefault(key, []).append(
                _Entry(
                    _version(entry["min"]),
                    _version(entry["max"]),
                    Draft202012Validator(entry["schema"], format_checker=_FORMATS),
                )
            )

    def __len__(self) -> int:
        """Count the endpoints and actions that have a schema."""
        return len(self._entries)

    def faults(
        self, method: str, path: str, version: str, answer: object, action: str = ""
    ) -> list[str]:
        """Tell what is wrong with an answer, one line a fault; `path` is the row's template."""
        key = (method, _PARAMETER.sub("{}", path), action)
        at = Microversion.parse(version)
        entries = [entry for entry in self._entries.get(key, ()) if entry.holds_at(at)]
        if not entries:
            return [f"Nova has no schema for {method} {path} {action} at {version}"]
        return [fault for entry in entries for fault in _told(entry.validator, answer)]


def load(settings: Settings) -> Schemas:
    """Export the schemas from the pods' code, or take those exported before."""
    [package] = (settings.venv / "lib").glob("python3*/site-packages/nova-*.dist-info")
    file = settings.base / f"{package.stem}-answers.json"
    if not file.exists():
        done = subprocess.run(
            [settings.bin / "python", "-P", Path(__file__).with_name("export.py")],
            check=True,
            capture_output=True,
        )
        file.write_bytes(done.stdout)
    return Schemas(json.loads(file.read_text()))


def _version(text: str) -> Microversion | None:
    return Microversion.parse(text) if text else None


def _told(validator: Draft202012Validator, answer: object) -> Iterator[str]:
    for error in validator.iter_errors(answer):
        place = ".".join(map(str, error.absolute_path)) or "answer"
        yield f"{place}: {error.message[:300]}"
