"""Who owns an id: memory, the store, the pods once."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus

import pytest
from multidict import CIMultiDict

from control_plane.directory.lookup import Directory, Question
from control_plane.model.caller import Caller
from control_plane.model.errors import PodUnreachable, Refused
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest

PODS = (Pod("1", "Pod1", "az1"), Pod("2", "Pod2", "az2"))


class Store:
    """Keeps owners; can be made to fail."""

    def __init__(self) -> None:
        self.rows: dict[str, Owner] = {}
        self.reads = 0
        self.broken = False
        self.marks: list[str] = []

    async def owner(self, id: str) -> Owner | None:  # noqa: A002
        self.reads += 1
        return self.rows.get(id)

    async def standing(self, id: str) -> Owner | None:  # noqa: A002
        return None if id in self.marks else self.rows.get(id)

    def pods_now(self, ids: object) -> None:
        """Must be waited for."""

    async def pods_of(self, ids: Sequence[str]) -> dict[str, str]:
        self.reads += 1
        await asyncio.sleep(0)
        return {entry: self.rows[entry].pod for entry in ids if entry in self.rows}

    async def record(self, owners: Iterable[Owner]) -> None:
        if self.broken:
            message = "disk full"
            raise OSError(message)
        self.rows.update({owner.id: owner for owner in owners})

    async def mark_deleted(self, id: str) -> None:  # noqa: A002
        self.marks.append(id)

    async def give(self, id: str, project_id: str) -> None:  # noqa: A002
        self.rows[id] = replace(self.rows[id], project_id=project_id)


class Cloud:
    """Answers probes; a status of 0 is a pod that does not answer."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.asked = 0

    async def ask_all(
        self, pods: Iterable[Pod], _: PodRequest
    ) -> tuple[list[PodAnswer], list[PodUnreachable]]:
        self.asked += 1
        await asyncio.sleep(0)
        answers, missing = [], []
        for pod in pods:
            status = self.statuses[pod.name]
            if status:
                headers = CIMultiDict({"www-authenticate": "Keystone uri='x'"})
                answers.append(PodAnswer(pod, status, headers, b""))
            else:
                missing.append(PodUnreachable(pod.name, "gone"))
        return answers, missing


class Counter:
    """Counts look-ups by source."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def looked_up(self, source: str) -> None:
        self.sources.append(source)


def question(resource_id: str = "s1", project: str = "p") -> Question:
    return Question(resource_id, "server", "compute", f"/v2.1/servers/{resource_id}", project, {})


async def test_an_unknown_id_is_asked_for_once_and_then_known_for_ever() -> None:
    store, cloud, counter = Store(), Cloud(Pod1=404, Pod2=200), Counter()
    directory = Directory(store, cloud, counter)

    owners = await asyncio.gather(*(directory.owner(question(), PODS) for _ in range(20)))
    again = await directory.owner(question(), PODS)

    assert {*owners, again} == {"Pod2"}
    assert cloud.asked == 1
    assert store.rows["s1"].pod == "Pod2"


async def test_what_the_store_knows_is_not_asked_of_pods() -> None:
    store, cloud = Store(), Cloud(Pod1=200, Pod2=200)
    store.rows["s1"] = Owner("s1", "server", "Pod2")
    counter = Counter()
    directory = Directory(store, cloud, counter)

    assert [await directory.owner(question(), PODS) for _ in range(2)] == ["Pod2", "Pod2"]
    assert (cloud.asked, store.reads, counter.sources) == (0, 1, ["database", "memory"])


async def test_nobody_has_it_only_when_every_pod_said_so_and_that_is_remembered_a_while() -> None:
    cloud = Cloud(Pod1=404, Pod2=404)
    directory = Directory(Store(), cloud, Counter())

    assert [await directory.owner(question(), PODS) for _ in range(3)] == [None] * 3
    assert cloud.asked == 1

    await directory.owner(question(project="another"), PODS)
    assert cloud.asked == 2


@pytest.mark.parametrize("silent", [0, 500])
async def test_a_pod_that_cannot_be_asked_makes_it_503_and_nothing_is_remembered(
    silent: int,
) -> None:
    cloud = Cloud(Pod1=404, Pod2=silent)
    directory = Directory(Store(), cloud, Counter())

    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await directory.owner(question(), PODS)
        assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "retry-after" in refused.value.headers
    assert cloud.asked == 2


async def test_a_token_no_pod_takes_is_401() -> None:
    directory = Directory(Store(), Cloud(Pod1=401, Pod2=401), Counter())

    with pytest.raises(Refused) as refused:
        await directory.owner(question(), PODS)

    assert refused.value.status == HTTPStatus.UNAUTHORIZED
    assert "www-authenticate" in refused.value.headers


async def test_a_create_that_was_missed_before_is_found_at_once() -> None:
    directory = Directory(Store(), Cloud(Pod1=404, Pod2=404), Counter())

    await directory.owner(question(), PODS)
    await directory.record([Owner("s1", "server", "Pod1", "p")])

    assert await directory.owner(question(), PODS) == "Pod1"


async def test_a_store_that_fails_does_not_fail_the_create() -> None:
    store = Store()
    store.broken = True
    directory = Directory(store, Cloud(Pod1=404, Pod2=404), Counter())

    await directory.record([Owner("s1", "server", "Pod1", "p")])

    assert await directory.known("s1") == "Pod1"


async def test_a_caller_that_leaves_does_not_cancel_the_question_of_others() -> None:
    directory = Directory(Store(), Cloud(Pod1=404, Pod2=200), Counter())

    leaving = asyncio.create_task(directory.ask(question(), PODS))
    staying = asyncio.create_task(directory.ask(question(), PODS))
    await asyncio.sleep(0)
    leaving.cancel()

    assert (await staying).holders == ("Pod2",)


async def test_many_unknown_ids_are_few_queries_and_the_same_id_is_one() -> None:
    store, cloud = Store(), Cloud(Pod1=200, Pod2=200)
    store.rows = {str(number): Owner(str(number), "server", "Pod2") for number in range(100)}
    directory = Directory(store, cloud, Counter())

    found = await asyncio.gather(*(directory.known(str(number % 100)) for number in range(300)))

    assert set(found) == {"Pod2"}
    assert store.reads == 1


async def test_a_project_that_guesses_ids_is_told_to_wait_and_others_are_not() -> None:
    cloud = Cloud(Pod1=404, Pod2=404)
    directory = Directory(Store(), cloud, Counter())

    async def guess() -> None:
        for number in range(10_000):
            await directory.owner(question(f"guess-{number}"), PODS)

    with pytest.raises(Refused) as refused:
        await guess()

    assert refused.value.status == HTTPStatus.TOO_MANY_REQUESTS
    assert cloud.asked < 1000
    assert await directory.owner(question(project="another"), PODS) is None


async def test_what_pods_have_is_found_however_much_of_it_there_is() -> None:
    directory = Directory(Store(), Cloud(Pod1=404, Pod2=200), Counter())

    found = {await directory.owner(question(f"old-{number}"), PODS) for number in range(1000)}

    assert found == {"Pod2"}


def caller(project: str, *roles: str) -> Caller:
    return Caller("u", project, frozenset(roles), "t", 4e9)


@pytest.mark.parametrize(
    ("asking", "ends"),
    [
        (caller("p", "member"), True),
        (caller("q", "member"), False),
        (caller("q", "admin"), True),
    ],
)
async def test_a_404_is_an_end_when_the_caller_would_be_shown_it(
    asking: Caller, *, ends: bool
) -> None:
    store = Store()
    store.rows["s1"] = Owner("s1", "server", "Pod2", "p")
    directory = Directory(store, Cloud(), Counter())

    for _ in range(3):
        await directory.missed("s1", asking)
        await directory.missed("nobody's", asking)

    assert store.marks == (["s1"] if ends else [])
    assert await directory.known("s1") == "Pod2"


async def test_what_comes_back_under_its_old_id_can_end_again() -> None:
    store = Store()
    directory, other_worker = (Directory(store, Cloud(), Counter()) for _ in range(2))

    for brings_back in (directory, other_worker):
        await directory.mark_deleted("b1")
        await directory.missed("b1", caller("p", "member"))
        await brings_back.record([Owner("b1", "backup", "Pod1", "p")])
    await directory.mark_deleted("b1")

    assert store.marks == ["b1", "b1", "b1"]


async def test_what_was_given_away_belongs_to_another_project_in_the_same_pod() -> None:
    store = Store()
    store.rows["v1"] = Owner("v1", "volume", "Pod2", "p")
    directory = Directory(store, Cloud(), Counter())

    await directory.give("v1", "volume", "Pod2", "q")

    assert (store.rows["v1"].pod, store.rows["v1"].project_id) == ("Pod2", "q")
    assert await directory.known("v1") == "Pod2"
