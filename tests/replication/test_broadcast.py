"""One write in every pod, or in none."""

from typing import Any

import pytest

from control_plane.model.errors import Refused
from tests.replication.world import World

FLAVOR = {"flavor": {"id": "f", "name": "tiny", "ram": 1, "disk": 0, "vcpus": 1}}


@pytest.fixture
def world() -> World:
    return World()


async def _type(world: World, name: str = "gold", **fields: Any) -> str:
    body = {"volume_type": {"name": name, **fields}}
    outcome = await world.write("volume", "POST", "/types", body)
    assert outcome.answer.status == 200
    return world.copies.user_id("volume_type", "Pod1", _own(world, "Pod1", name))


def _own(world: World, pod: str, name: str, collection: str = "types") -> str:
    return next(
        key for key, item in world.pods[pod].all(collection).items() if item["name"] == name
    )


async def test_every_pod_gets_it_and_the_first_answers(world: World) -> None:
    outcome = await world.write("compute", "POST", "/flavors", FLAVOR)

    assert outcome.answer.pod.name == "Pod1"
    assert outcome.missing == ()
    assert world.everything("flavors") == [["tiny"]] * 3
    assert [pod.writes for pod in world.pods.pods.values()] == [[("POST", "/flavors")]] * 3


async def test_a_refusal_of_the_first_pod_reaches_no_other(world: World) -> None:
    world.pods["Pod1"].refuses["POST", "/flavors"] = 403

    outcome = await world.write("compute", "POST", "/flavors", FLAVOR)

    assert outcome.answer.status == 403
    assert world.pods["Pod2"].writes == []


async def test_a_create_that_one_pod_refuses_is_taken_back(world: World) -> None:
    world.pods["Pod3"].all("flavors")["f"] = {"id": "f", "name": "other"}

    outcome = await world.write("compute", "POST", "/flavors", FLAVOR)

    assert (outcome.answer.status, outcome.answer.pod.name) == (409, "Pod3")
    assert world.everything("flavors") == [[], [], ["other"]]
    assert world.intents.rows == {}


async def test_a_create_that_cannot_be_taken_back_now_is_taken_back_later(world: World) -> None:
    world.pods["Pod3"].refuses["POST", "/flavors"] = 409
    world.pods["Pod2"].refuses["DELETE", "/flavors/f"] = 500

    await world.write("compute", "POST", "/flavors", FLAVOR)
    world.pods["Pod2"].refuses.clear()
    await world.drain()

    assert world.everything("flavors") == [[], [], []]
    assert world.intents.rows == {}


async def test_a_delete_that_one_pod_refuses_makes_the_thing_again_with_all_parts(
    world: World,
) -> None:
    kind = await _type(world, **{"os-volume-type-access:is_public": False})
    await world.write("volume", "POST", "/qos-specs", {"qos_specs": {"name": "fast", "k": "v"}})
    qos = _own(world, "Pod1", "fast", "qos-specs")
    await world.write("volume", "GET", f"/qos-specs/{qos}/associate?vol_type_id={kind}")
    await world.write("volume", "POST", f"/types/{kind}/extra_specs", {"extra_specs": {"a": "b"}})
    grant = {"addProjectAccess": {"project": "p"}}
    await world.write("volume", "POST", f"/types/{kind}/action", grant)
    luks = {"encryption": {"provider": "luks"}}
    await world.write("volume", "POST", f"/types/{kind}/encryption", luks)
    used = _own(world, "Pod2", "gold")
    world.pods["Pod2"].refuses["DELETE", f"/types/{used}"] = 400

    outcome = await world.write("volume", "DELETE", f"/types/{kind}")

    assert outcome.answer.status == 400
    for pod in ("Pod1", "Pod3"):
        own = _own(world, pod, "gold")
        item = world.pods[pod].all("types")[own]
        assert world.copies.user_id("volume_type", pod, own) == kind
        assert item["extra_specs"] == {"a": "b"}
        assert item["is_public"] is False
        assert item["_access"] == {"p"}
        assert item["_encryption"]["provider"] == "luks"
        assert item["qos_specs_id"] == _own(world, pod, "fast", "qos-specs")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"volume_type": {"name": "tin", "description": "other"}}),
        ("POST", "/extra_specs", {"extra_specs": {"a": "new", "c": "d"}}),
        ("DELETE", "/extra_specs/a", None),
        ("POST", "/action", {"removeProjectAccess": {"project": "p"}}),
        ("POST", "/action", {"addProjectAccess": {"project": "q"}}),
        ("PUT", "/encryption/id", {"encryption": {"provider": "other"}}),
        ("DELETE", "/encryption/id", None),
    ],
)
async def test_a_change_that_one_pod_refuses_is_undone_in_the_others(
    world: World, method: str, path: str, body: Any
) -> None:
    kind = await _type(world, **{"os-volume-type-access:is_public": False})
    await world.write("volume", "POST", f"/types/{kind}/extra_specs", {"extra_specs": {"a": "b"}})
    grant = {"addProjectAccess": {"project": "p"}}
    await world.write("volume", "POST", f"/types/{kind}/action", grant)
    luks = {"encryption": {"provider": "luks"}}
    await world.write("volume", "POST", f"/types/{kind}/encryption", luks)
    own = _own(world, "Pod3", "gold")
    world.pods["Pod3"].refuses[method, f"{own}{path}"] = 400

    outcome = await world.write("volume", method, f"/types/{kind}{path}", body)

    assert outcome.answer.status == 400
    for pod in ("Pod1", "Pod2"):
        item = world.pods[pod].all("types")[_own(world, pod, "gold")]
        assert item["extra_specs"] == {"a": "b"}
        assert item["_access"] == {"p"}
        assert item["_encryption"]["provider"] == "luks"


async def test_an_association_that_one_pod_refuses_is_undone(world: World) -> None:
    kind = await _type(world)
    await world.write("volume", "POST", "/qos-specs", {"qos_specs": {"name": "fast"}})
    qos = _own(world, "Pod1", "fast", "qos-specs")
    world.pods["Pod2"].refuses["GET", "/associate"] = 400

    outcome = await world.write("volume", "GET", f"/qos-specs/{qos}/associate?vol_type_id={kind}")

    assert outcome.answer.status == 400
    for pod in ("Pod1", "Pod3"):
        assert world.pods[pod].all("types")[_own(world, pod, "gold")]["qos_specs_id"] is None


async def test_a_quota_that_one_pod_refuses_is_what_it_was(world: World) -> None:
    world.pods["Pod2"].refuses["PUT", "/os-quota-sets/p"] = 400

    outcome = await world.write("compute", "PUT", "/os-quota-sets/p", {"quota_set": {"cores": 5}})

    assert outcome.answer.status == 400
    assert [pod.quota for pod in world.pods.pods.values()] == [{"cores": 20, "ram": 50}] * 3


@pytest.mark.parametrize("before", ["", "gold"])
async def test_a_default_type_that_one_pod_refuses_is_what_it_was(
    world: World, before: str
) -> None:
    gold, tin = await _type(world), await _type(world, "tin")
    if before:
        body = {"default_type": {"volume_type": gold}}
        await world.write("volume", "PUT", "/default-types/p", body, "3.62")
    world.pods["Pod2"].refuses["PUT", "/default-types/p"] = 400

    body = {"default_type": {"volume_type": tin}}
    outcome = await world.write("volume", "PUT", "/default-types/p", body, "3.62")

    assert outcome.answer.status == 400
    for pod in ("Pod1", "Pod3"):
        assert world.pods[pod].default == (_own(world, pod, "gold") if before else "")


async def test_a_delete_counts_where_the_thing_is_gone_already(world: World) -> None:
    await world.write("compute", "POST", "/flavors", FLAVOR)
    del world.pods["Pod1"].all("flavors")["f"]

    first = await world.write("compute", "DELETE", "/flavors/f")
    second = await world.write("compute", "DELETE", "/flavors/f")

    assert (first.answer.status, first.answer.pod.name) == (202, "Pod2")
    assert second.answer.status == 404
    assert world.everything("flavors") == [[], [], []]


async def test_a_pod_without_the_thing_is_left_alone_by_a_change(world: World) -> None:
    world.pods["Pod2"].all("flavors")["own"] = {"id": "own", "name": "own"}

    specs = {"extra_specs": {"a": "b"}}
    outcome = await world.write("compute", "POST", "/flavors/own/os-extra_specs", specs)

    assert (outcome.answer.status, outcome.missing) == (200, ())
    assert world.pods["Pod2"].all("flavors")["own"]["extra_specs"] == {"a": "b"}
    assert world.everything("flavors") == [[], ["own"], []]


async def test_a_generated_key_is_the_same_in_every_pod(world: World) -> None:
    await world.write("compute", "POST", "/os-keypairs", {"keypair": {"name": "k"}})

    keys = [pod.all("os-keypairs")["k"]["public_key"] for pod in world.pods.pods.values()]
    assert keys == ["generated by Pod1"] * 3


async def test_each_pod_is_told_its_own_ids(world: World) -> None:
    kind = await _type(world)
    own = [_own(world, pod, "gold") for pod in ("Pod1", "Pod2", "Pod3")]

    body = {"volume_type": {"name": "gold", "description": "words"}}
    await world.write("volume", "PUT", f"/types/{kind}", body)

    assert kind == own[0]
    assert len(set(own)) == 3
    for pod, identity in zip(world.pods.pods.values(), own, strict=True):
        assert pod.writes[-1] == ("PUT", f"/types/{identity}")


async def test_a_deleted_thing_is_forgotten_and_its_name_may_be_used_again(world: World) -> None:
    first = await _type(world)
    await world.write("volume", "DELETE", f"/types/{first}")

    second = await _type(world)

    assert first != second
    assert not world.copies.known("volume_type", first)
    assert {row.user_id for row in world.store.rows} == {second}


async def test_nobody_answers(world: World) -> None:
    for pod in world.pods.pods.values():
        pod.away = True

    with pytest.raises(Refused) as caught:
        await world.write("compute", "POST", "/flavors", FLAVOR)

    assert caught.value.status == 503
    assert world.intents.rows == {}


async def test_what_only_a_silent_pod_may_have_is_not_said_to_be_missing(world: World) -> None:
    world.pods["Pod3"].away = True

    with pytest.raises(Refused) as caught:
        await world.write("compute", "DELETE", "/flavors/f")

    assert caught.value.status == 503


async def _bound(world: World) -> tuple[str, str]:
    """Make a type that a QoS spec is bound to; gives the users' ids of both."""
    kind = await _type(world)
    await world.write("volume", "POST", "/qos-specs", {"qos_specs": {"name": "fast"}})
    qos = _own(world, "Pod1", "fast", "qos-specs")
    await world.write("volume", "GET", f"/qos-specs/{qos}/associate?vol_type_id={kind}")
    return qos, kind


def _is_bound(world: World, pod: str) -> bool:
    kind = world.pods[pod].all("types")[_own(world, pod, "gold")]
    return bool(kind["qos_specs_id"] == _own(world, pod, "fast", "qos-specs"))


async def test_what_one_pod_does_not_release_is_bound_again_in_the_others(world: World) -> None:
    qos, _ = await _bound(world)
    world.pods["Pod2"].refuses["GET", "/disassociate_all"] = 400

    outcome = await world.write("volume", "GET", f"/qos-specs/{qos}/disassociate_all")

    assert outcome.answer.status == 400
    assert [_is_bound(world, pod) for pod in ("Pod1", "Pod2", "Pod3")] == [True] * 3


async def test_quotas_that_one_pod_does_not_take_away_are_set_again(world: World) -> None:
    await world.write("compute", "PUT", "/os-quota-sets/p", {"quota_set": {"cores": 5}})
    world.pods["Pod2"].refuses["DELETE", "/os-quota-sets/p"] = 400

    outcome = await world.write("compute", "DELETE", "/os-quota-sets/p")

    assert outcome.answer.status == 400
    assert [pod.quota for pod in world.pods.pods.values()] == [{"cores": 5, "ram": 50}] * 3
    assert world.pods["Pod1"].writes[-1] == ("PUT", "/os-quota-sets/p")


async def test_a_default_type_that_one_pod_keeps_is_set_again(world: World) -> None:
    kind = await _type(world)
    body = {"default_type": {"volume_type": kind}}
    await world.write("volume", "PUT", "/default-types/p", body, "3.62")
    world.pods["Pod2"].refuses["DELETE", "/default-types/p"] = 400

    outcome = await world.write("volume", "DELETE", "/default-types/p", None, "3.62")

    assert outcome.answer.status == 400
    for pod in ("Pod1", "Pod2", "Pod3"):
        assert world.pods[pod].default == _own(world, pod, "gold")


async def test_the_quotas_of_a_user_are_put_back_as_that_users(world: World) -> None:
    world.pods["Pod2"].refuses["PUT", "/os-quota-sets/p"] = 400

    body = {"quota_set": {"cores": 5}}
    await world.write("compute", "PUT", "/os-quota-sets/p?user_id=u", body)

    assert {path for _, path in world.pods["Pod1"].writes} == {"/os-quota-sets/p?user_id=u"}


@pytest.mark.parametrize("silent", [True, False])
async def test_what_cannot_be_undone_now_is_undone_later(world: World, *, silent: bool) -> None:
    """Undone: a definition, what was released, a default type, a quota."""
    qos, kind = await _bound(world)
    body = {"default_type": {"volume_type": kind}}
    await world.write("volume", "PUT", "/default-types/p", body, "3.62")
    await world.write("volume", "POST", f"/types/{kind}/extra_specs", {"extra_specs": {"a": "b"}})
    first, second = world.pods["Pod1"], world.pods["Pod2"]
    own = {pod: _own(world, pod, "gold") for pod in ("Pod1", "Pod2")}
    for method, path, sent, version in (
        ("DELETE", f"/types/{kind}/extra_specs/a", None, ""),
        ("GET", f"/qos-specs/{qos}/disassociate_all", None, ""),
        ("DELETE", "/default-types/p", None, "3.62"),
        ("PUT", "/os-quota-sets/p", {"quota_set": {"cores": 5}}, ""),
    ):
        end = path.replace(kind, own["Pod2"]).replace(qos, _own(world, "Pod2", "fast", "qos-specs"))
        second.refuses[method, end] = 400
        first.worn = "away" if silent else "500"
        outcome = await world.write("volume", method, path, sent, version)
        first.worn = ""
        first.away = False
        first.refuses.clear()
        assert outcome.answer.status == 400

    waiting = {(row.pod, row.method) for row in world.intents.rows.values()}
    for _ in range(2):
        await world.drain()

    assert waiting == {("Pod1", "RESTORE"), ("Pod1", "GET"), ("Pod1", "PUT")}
    assert first.all("types")[own["Pod1"]]["extra_specs"] == {"a": "b"}
    assert _is_bound(world, "Pod1")
    assert first.default == own["Pod1"]
    assert first.quota["cores"] == 20
    assert world.intents.rows == {}
