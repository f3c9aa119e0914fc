"""A pod as operators write it, and what may stand in it.

The YAML of `trio2o apply`, `pods:` in trio2o.yaml and the gRPC message all become a `PodSpec`;
everything that can be said against one without a database is said here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Any

from control_plane.model.endpoint import Endpoint
from control_plane.model.errors import Invalid
from control_plane.model.pod import HIGHEST_NUMBER, Pod, PodState

#: What pods may have an endpoint of.
SERVICE_NAMES = ("compute", "volume", "image", "network", "placement")
HIGHEST_WEIGHT = 1000
_LONGEST = 255
# A name is part of cluster names (`Pod1/compute`), of statistics and of a header.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# ASCII, and neither a user (who would be dropped, and the password kept), a query nor a fragment.
_URL = re.compile(r"[^\s@?#\x00-\x1f\x7f-\U0010ffff]*")
# `az1:host1` in a create names a host.
_ZONE = re.compile(r"[^\s:/,\x00-\x1f](?:[^:/,\x00-\x1f]*[^\s:/,\x00-\x1f])?")

#: What `trio2o get pods -o yaml` tells besides: let through, so that its output can be applied.
_TOLD = frozenset(
    {"id", "created_at", "updated_at", "resources", "number", "ready", "pending", "problems"}
)

#: What differs between two pods of one name; the rest is the control plane's.
FIELDS = (
    "availability_zone",
    "pod_availability_zone",
    "data_center",
    "state",
    "weight",
    "labels",
    "endpoints",
)


@dataclass(frozen=True, slots=True)
class PodSpec:
    """What an operator wants a pod to be; no state leaves it as it is."""

    name: str
    availability_zone: str
    pod_availability_zone: str = ""
    data_center: str = ""
    state: PodState | None = None
    weight: int = 100
    labels: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, written: object) -> "PodSpec":
        """Read the operators' form, a mapping from YAML or JSON; Invalid if it is none."""
        if not isinstance(written, Mapping):
            message = "a pod is a mapping of keys to values"
            raise Invalid(message)
        name = written.get("name")
        known = {entry.name for entry in fields(cls)}
        for key in written:
            if key not in known | _TOLD:
                raise _invalid(name, str(key), "is no field of a pod")
        values: dict[str, Any] = {
            key: value for key, value in written.items() if value is not None and key in known
        }
        for key, value in values.items():
            _check_type(name, key, value)
        if "state" in values:
            values["state"] = parse_state(values["state"], name)
        for key in ("name", "availability_zone"):
            values.setdefault(key, "")
        return cls(**values)

    @classmethod
    def of(cls, pod: Pod) -> "PodSpec":
        """Write down a pod as it is, to change some of it."""
        return cls(**{key: getattr(pod, key) for key in ("name", *FIELDS)})

    def check(self) -> None:
        """Raise Invalid for what can be in no pod."""
        if not self.name:
            raise _invalid(None, "name", "must not be empty")
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST:
            raise _invalid(self.name, "name", "may hold letters, digits, dots, dashes and _ only")
        if not self.availability_zone:
            raise _invalid(self.name, "availability_zone", "must not be empty")
        for key in ("availability_zone", "pod_availability_zone"):
            zone = getattr(self, key)
            if zone and not (_ZONE.fullmatch(zone) and is_text(zone)):
                raise _invalid(self.name, key, f"cannot be the name of a zone: {zone!r}")
        if len(self.data_center) > _LONGEST:
            raise _invalid(self.name, "data_center", f"is longer than {_LONGEST} characters")
        if not 0 <= self.weight <= HIGHEST_WEIGHT:
            raise _invalid(self.name, "weight", f"must be from 0 to {HIGHEST_WEIGHT}")
        texts = {"data_center": [self.data_center], "labels": [*chain(*self.labels.items())]}
        for key, values in texts.items():
            if not all(map(str.isprintable, values)):
                raise _invalid(self.name, key, f"holds what cannot be printed: {values}")
        self._check_endpoints()

    def _check_endpoints(self) -> None:
        for service, url in self.endpoints.items():
            if service not in SERVICE_NAMES:
                raise _invalid(
                    self.name, f"endpoints.{service}", f"is none of {', '.join(SERVICE_NAMES)}"
                )
            if not _URL.fullmatch(url):
                raise _invalid(
                    self.name,
                    f"endpoints.{service}",
                    "may hold a scheme, a host, a port and a path only",
                )
            try:
                Endpoint.parse(url)
            except ValueError as error:
                raise _invalid(self.name, f"endpoints.{service}", str(error)) from error

    def over(self, present: Pod | None) -> Pod:
        """Make the pod this asks for of the one that is there, if any."""
        state = self.state or (present.state if present else PodState.ENABLED)
        values: dict[str, Any] = {key: getattr(self, key) for key in FIELDS}
        values |= {"state": state, "labels": dict(self.labels), "endpoints": dict(self.endpoints)}
        return replace(present or Pod("", self.name, self.availability_zone), **values)


def check_all(specs: Iterable[PodSpec]) -> None:
    """Raise Invalid for what can be in no pod, and for a name that two have."""
    names = set()
    for spec in specs:
        spec.check()
        if spec.name in names:
            message = f"pod {spec.name} is given more than once"
            raise Invalid(message)
        names.add(spec.name)
    check_count(names)


def check_count(names: Collection[str]) -> None:
    """Raise Invalid for more pods than there are numbers for their things (`model/number.py`)."""
    if len(names) > HIGHEST_NUMBER:
        message = f"there can be {HIGHEST_NUMBER} pods, not {len(names)}"
        raise Invalid(message)


def is_text(text: str) -> bool:
    """Whether every database can keep it in a column: PostgreSQL has no place for NUL."""
    return text.isprintable() and len(text) <= _LONGEST


def differences(before: Pod, after: Pod) -> tuple[str, ...]:
    """Name the fields in which two pods differ."""
    return tuple(key for key in FIELDS if getattr(before, key) != getattr(after, key))


def parse_state(text: str, name: str | None = None) -> PodState:
    """Read a state; Invalid if it is none."""
    try:
        return PodState(text)
    except ValueError as error:
        raise _invalid(name, "state", f"must be one of {', '.join(PodState)}") from error


def _check_type(name: object, key: str, value: object) -> None:
    if key in ("labels", "endpoints"):
        if not isinstance(value, Mapping):
            raise _invalid(name, key, "must be a mapping")
        for entry, text in value.items():
            if not isinstance(entry, str) or not isinstance(text, str):
                raise _invalid(name, f"{key}.{entry}", "must be text; put it in quotes")
    elif key == "weight":
        if not isinstance(value, int) or isinstance(value, bool):
            raise _invalid(name, key, "must be a whole number")
    elif not isinstance(value, str):
        raise _invalid(name, key, "must be text; put it in quotes")


def _invalid(name: object, key: str, text: str) -> Invalid:
    of_pod = f"pod {name}: " if isinstance(name, str) and name else ""
    return Invalid(f"{of_pod}{key} {text}")
