"""Shadows of a group: what stands for it in pods beside its own, where it has members too.

The group's own pod owns it like any placed resource, and users see the id it has there.
"""

from collections.abc import Iterable
from typing import Protocol

from control_plane.model.pod import Pod


class ShadowStore(Protocol):
    """The part of the store that keeps shadows."""

    async def shadows(self, resource: str, user_id: str, pods: Iterable[str]) -> dict[str, str]:
        """Read the ids of a thing's shadows by the pods that have one."""

    async def shadowed(self, resource: str, pod: str, pod_ids: Iterable[str]) -> dict[str, str]:
        """Read what a pod's shadows stand for."""

    async def has_shadows(self, resource: str, pod: str) -> bool:
        """Say whether anything in a pod stands in for a thing of another."""

    async def keep_shadow(self, resource: str, user_id: str, pod: str, pod_id: str) -> str:
        """Write a shadow unless the pod has one; the id of the one that holds."""

    async def forget_shadow(self, resource: str, pod: str, pod_id: str) -> None:
        """Take a shadow out."""


class Shadows:
    """Knows which pods have a shadow of what."""

    def __init__(self, store: ShadowStore) -> None:
        """Take the store; replicas make shadows too, so that only that there are some is kept."""
        self._store = store
        self._inhabited: set[tuple[str, str]] = set()

    async def any_in(self, resource: str, pod: str) -> bool:
        """Say whether a pod has shadows, or had any since this process began."""
        key = (resource, pod)
        if key not in self._inhabited and await self._store.has_shadows(resource, pod):
            self._inhabited.add(key)
        return key in self._inhabited

    async def ids(
        self, resource: str, user_id: str, home: str, pods: Iterable[Pod]
    ) -> dict[str, str]:
        """Give the ids of a thing in all pods that have it or a shadow of it, its own pod first."""
        names = [pod.name for pod in pods if pod.name != home]
        found = await self._store.shadows(resource, user_id, names)
        return {home: user_id, **{name: found[name] for name in names if name in found}}

    async def users(self, resource: str, pod: str, pod_ids: Iterable[str]) -> dict[str, str]:
        """Say what those of a pod's ids that are shadows stand for."""
        wanted = list(pod_ids)
        return await self._store.shadowed(resource, pod, wanted) if wanted else {}

    async def keep(self, resource: str, user_id: str, pod: str, pod_id: str) -> str:
        """Remember a shadow, unless another was made meanwhile; the id of the one that holds."""
        return await self._store.keep_shadow(resource, user_id, pod, pod_id)

    async def forget(self, resource: str, pod: str, pod_id: str) -> None:
        """Forget a shadow that is gone."""
        await self._store.forget_shadow(resource, pod, pod_id)
