"""Shadows: what a thing is called in each pod, its own pod first."""

from collections.abc import Iterable

from control_plane.directory.shadows import Shadows
from control_plane.model.pod import Pod

PODS = (Pod("1", "Pod1", "az1"), Pod("2", "Pod2", "az2"), Pod("3", "Pod3", "az3"))


class Store:
    """Keeps shadows by resource, pod and the users' id."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], str] = {}
        self.reads = 0

    async def has_shadows(self, resource: str, pod: str) -> bool:
        return any(key[:2] == (resource, pod) for key in self.rows)

    async def shadows(self, resource: str, user_id: str, pods: Iterable[str]) -> dict[str, str]:
        keys = {pod: (resource, pod, user_id) for pod in pods}
        return {pod: self.rows[key] for pod, key in keys.items() if key in self.rows}

    async def shadowed(self, resource: str, pod: str, pod_ids: Iterable[str]) -> dict[str, str]:
        self.reads += 1
        users = {held: key[2] for key, held in self.rows.items() if key[:2] == (resource, pod)}
        return {pod_id: users[pod_id] for pod_id in pod_ids if pod_id in users}

    async def keep_shadow(self, resource: str, user_id: str, pod: str, pod_id: str) -> str:
        return self.rows.setdefault((resource, pod, user_id), pod_id)

    async def forget_shadow(self, resource: str, pod: str, pod_id: str) -> None:
        self.rows = {key: held for key, held in self.rows.items() if held != pod_id}


async def test_the_own_pod_comes_first_and_pods_without_a_shadow_are_left_out() -> None:
    shadows = Shadows(Store())
    await shadows.keep("server_group", "g", "Pod1", "s1")

    ids = await shadows.ids("server_group", "g", "Pod3", PODS)

    assert list(ids.items()) == [("Pod3", "g"), ("Pod1", "s1")]


async def test_nothing_is_read_for_no_ids() -> None:
    store = Store()

    assert await Shadows(store).users("server_group", "Pod1", []) == {}
    assert store.reads == 0


async def test_who_comes_second_gets_the_shadow_of_the_first() -> None:
    shadows = Shadows(Store())

    assert await shadows.keep("server_group", "g", "Pod2", "first") == "first"
    assert await shadows.keep("server_group", "g", "Pod2", "second") == "first"

    await shadows.forget("server_group", "Pod2", "first")
    assert await shadows.ids("server_group", "g", "Pod1", PODS) == {"Pod1": "g"}


async def test_a_pod_has_shadows_from_the_first_one_on() -> None:
    store = Store()
    shadows = Shadows(store)

    before = await shadows.any_in("server_group", "Pod2")
    await store.keep_shadow("server_group", "g", "Pod2", "of-another-replica")

    assert not before
    assert await shadows.any_in("server_group", "Pod2")
    assert not await shadows.any_in("server_group", "Pod1")
