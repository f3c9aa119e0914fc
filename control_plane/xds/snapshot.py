"""All resources at one moment.

A snapshot is consistent: everything a resource refers to is in it. Only consistent snapshots are
published, since an Envoy that waits for a missing resource serves nothing or stale routes.

A snapshot is made from nothing once (`of`), and from then on from the one before (`replacing`), so
that one pod's change costs what one pod has. Resources that did not change are the same objects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from control_plane.model.errors import Trio2oError
from control_plane.xds.resource import LISTENER, SENDING_ORDER, Resource

_NONE: Mapping[str, Resource] = MappingProxyType({})
_VERSION_BITS = 64

#: Names by type URL.
Names = Mapping[str, frozenset[str]]


class InconsistentSnapshot(Trio2oError):
    """A snapshot lacks what its own resources refer to; it must not be published."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Resources by type URL and name, and a version for each type."""

    resources: Mapping[str, Mapping[str, Resource]]
    versions: Mapping[str, str]
    #: What the versions are written from: of each type, the sum of the resources' marks.
    _sums: Mapping[str, int] = field(repr=False, compare=False)
    #: Stands for this snapshot in those made from it, which must not keep it alive.
    token: object = field(default_factory=object, repr=False, compare=False)
    #: The token of the one this was made from, and what may not be the same object in both.
    _before: object = field(default=None, repr=False, compare=False)
    _replaced: Names = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "Snapshot":
        """Sort resources into their types; InconsistentSnapshot if a name occurs twice."""
        return _EMPTY.replacing((), resources)

    def replacing(self, old: Iterable[Resource], new: Iterable[Resource]) -> "Snapshot":
        """Take resources of this snapshot out and put others in; InconsistentSnapshot as in `of`.

        Costs what is given and a copy of what is kept, which is not looked at.
        """
        types: dict[str, dict[str, Resource]] = {}
        sums = dict(self._sums)
        replaced: dict[str, set[str]] = {}

        def touched(resource: Resource) -> dict[str, Resource]:
            url = resource.type_url
            if url not in types:
                types[url] = dict(self.resources[url])
            replaced.setdefault(url, set()).add(resource.name)
            return types[url]

        for resource in old:
            del touched(resource)[resource.name]
            sums[resource.type_url] -= resource.mark
        for resource in new:
            named = touched(resource)
            if resource.name in named:
                message = f"two resources named {resource.name!r} of {resource.type_url}"
                raise InconsistentSnapshot(message)
            named[resource.name] = resource
            sums[resource.type_url] += resource.mark
        names = {url: frozenset(found) for url, found in replaced.items()}
        return _snapshot({**self.resources, **types}, sums, self.token, names)

    def of_type(self, type_url: str) -> Mapping[str, Resource]:
        """Give the resources of one type; none of a type we do not serve."""
        return self.resources.get(type_url, _NONE)

    def for_module(self, module: str) -> "Snapshot":
        """Give what an Envoy gets that has the module of known ids at a path; empty: it has none.

        Where this snapshot has changed and where that has is the same.
        """
        pairs = [
            (resource, resource.with_module(module))
            for resource in (self.of_type(LISTENER).values() if module else ())
            if resource.with_module is not None
        ]
        if not pairs:
            return self
        return self.replacing([old for old, _ in pairs], [new for _, new in pairs])

    def differences(self, before: "Snapshot | None") -> Names:
        """Name, by type, what is not the same object in both; everything if there is no other."""
        if before is not None and before.token is self._before:
            return {url: self._replaced.get(url, frozenset()) for url in self.resources}
        return {
            url: _differing(named, before.of_type(url) if before else _NONE)
            for url, named in self.resources.items()
        }

    def check(self, changed: Names | None = None) -> None:
        """Raise InconsistentSnapshot naming every reference that leads nowhere.

        `changed` says what differs from a snapshot that was checked; without it all is looked at.
        """
        every = (found for named in self.resources.values() for found in named.values())
        looked_at = every if changed is None else self._affected(changed, every)
        missing = sorted(
            f"{resource.name} -> {name} ({type_url.rpartition('.')[2]})"
            for resource in looked_at
            for type_url, name in resource.refers
            if name not in self.of_type(type_url)
        )
        if missing:
            message = f"missing resources: {', '.join(missing)}"
            raise InconsistentSnapshot(message)

    def _affected(self, changed: Names, every: Iterable[Resource]) -> list[Resource]:
        """List what changed, and what refers to what is here no more."""
        here = [
            (url, name, self.of_type(url).get(name))
            for url, names in changed.items()
            for name in names
        ]
        gone = {(url, name) for url, name, found in here if found is None}
        found = [resource for *_, resource in here if resource is not None]
        if gone:
            found += [entry for entry in every if not entry.refers.isdisjoint(gone)]
        return found


def version_of(resources: Mapping[str, Resource]) -> str:
    """Write the version of one type's resources, whatever their order."""
    return _written(sum(resource.mark for resource in resources.values()))


def _snapshot(
    types: Mapping[str, Mapping[str, Resource]],
    sums: Mapping[str, int],
    before: object = None,
    replaced: Names = MappingProxyType({}),
) -> Snapshot:
    return Snapshot(
        MappingProxyType(
            {
                url: MappingProxyType(named) if isinstance(named, dict) else named
                for url, named in types.items()
            }
        ),
        MappingProxyType({url: _written(total) for url, total in sums.items()}),
        sums,
        _before=before,
        _replaced=replaced,
    )


def _written(total: int) -> str:
    # A sum, not a hash of all: a change of one resource changes it without a look at the others.
    return f"{total % (1 << _VERSION_BITS):0{_VERSION_BITS // 4}x}"


def _differing(now: Mapping[str, Resource], before: Mapping[str, Resource]) -> frozenset[str]:
    changed = [name for name, resource in now.items() if before.get(name) is not resource]
    return frozenset(changed) | (before.keys() - now.keys())


_EMPTY = _snapshot({url: {} for url in SENDING_ORDER}, dict.fromkeys(SENDING_ORDER, 0))
