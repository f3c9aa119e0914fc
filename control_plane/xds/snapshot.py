"""All resources at one moment.

A snapshot is consistent: everything a resource refers to is in it. Only consistent snapshots are
published, since an Envoy that waits for a missing resource serves nothing or stale routes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from control_plane.model.errors import Trio2oError
from control_plane.xds.resource import SENDING_ORDER, Resource, digest

_NONE: Mapping[str, Resource] = MappingProxyType({})


class InconsistentSnapshot(Trio2oError):
    """A snapshot lacks what its own resources refer to; it must not be published."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Resources by type URL and name, and a version for each type."""

    resources: Mapping[str, Mapping[str, Resource]]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "Snapshot":
        """Sort resources into their types; InconsistentSnapshot if a name occurs twice."""
        types: dict[str, dict[str, Resource]] = {type_url: {} for type_url in SENDING_ORDER}
        for resource in resources:
            named = types[resource.type_url]
            if resource.name in named:
                message = f"two resources named {resource.name!r} of {resource.type_url}"
                raise InconsistentSnapshot(message)
            named[resource.name] = resource
        return cls(
            MappingProxyType({url: MappingProxyType(named) for url, named in types.items()}),
            MappingProxyType({url: version_of(named) for url, named in types.items()}),
        )

    def of_type(self, type_url: str) -> Mapping[str, Resource]:
        """Give the resources of one type; none of a type we do not serve."""
        return self.resources.get(type_url, _NONE)

    def check(self) -> None:
        """Raise InconsistentSnapshot naming every reference that leads nowhere."""
        missing = sorted(
            f"{resource.name} -> {name} ({type_url.rpartition('.')[2]})"
            for named in self.resources.values()
            for resource in named.values()
            for type_url, name in resource.refers
            if name not in self.of_type(type_url)
        )
        if missing:
            message = f"missing resources: {', '.join(missing)}"
            raise InconsistentSnapshot(message)


def version_of(resources: Mapping[str, Resource]) -> str:
    """Hash names and versions, whatever their order."""
    return digest(
        part.encode() for name in sorted(resources) for part in (name, resources[name].version)
    )
