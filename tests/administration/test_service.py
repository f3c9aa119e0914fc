"""The rules of administration."""

import asyncio

import pytest

from control_plane.administration.service import Outcome
from control_plane.administration.spec import PodSpec
from control_plane.model.errors import Conflict, InUse, Invalid, Missing
from control_plane.model.owner import Owner
from control_plane.model.pod import HIGHEST_NUMBER, PodState
from tests.administration.stand_in import StandIn

ONE = PodSpec("Pod1", "az1")
TWO = PodSpec("Pod2", "az2")


async def test_applying_twice_changes_nothing(stand_in: StandIn) -> None:
    first = await stand_in.administration.apply([ONE, TWO])
    second = await stand_in.administration.apply([ONE, TWO])

    assert [entry.outcome for entry in first] == [Outcome.CREATED, Outcome.CREATED]
    assert [entry.outcome for entry in second] == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert [entry.pod for entry in first] == [entry.pod for entry in second]
    assert stand_in.changes == 1


async def test_changed_fields_are_told(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])

    (applied,) = await stand_in.administration.apply([PodSpec("Pod1", "az1", weight=7)])

    assert (applied.outcome, applied.changed) == (Outcome.CONFIGURED, ("weight",))
    assert (await stand_in.administration.pod("Pod1")).weight == 7


async def test_the_operators_form_is_applied(stand_in: StandIn) -> None:
    (applied,) = await stand_in.administration.apply(
        [{"name": "Pod1", "availability_zone": "az1", "labels": {"gpu": "true"}}]
    )

    assert applied.pod.labels == {"gpu": "true"}


async def test_a_dry_run_changes_nothing(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])

    applied = await stand_in.administration.apply(
        [PodSpec("Pod1", "az9"), TWO, ONE][:2], dry_run=True
    )

    assert [entry.outcome for entry in applied] == [Outcome.CONFIGURED, Outcome.CREATED]
    assert [pod.availability_zone for pod in await stand_in.administration.pods()] == ["az1"]
    assert stand_in.changes == 1


async def test_one_wrong_pod_holds_all_back(stand_in: StandIn) -> None:
    with pytest.raises(Invalid):
        await stand_in.administration.apply([ONE, PodSpec("Pod2", "")])
    with pytest.raises(Invalid, match="more than once"):
        await stand_in.administration.apply([ONE, ONE])

    assert (await stand_in.administration.pods()).pods == ()


async def test_applying_a_file_again_does_not_undo_a_cordon(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])
    await stand_in.administration.set_state("Pod1", PodState.CORDONED)

    (applied,) = await stand_in.administration.apply([ONE])

    assert applied.outcome is Outcome.UNCHANGED
    assert applied.pod.state is PodState.CORDONED


async def test_the_zone_of_a_pod_that_has_resources_stays(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])
    await stand_in.store.record([Owner("1", "server", "Pod1")])

    with pytest.raises(InUse, match="users have 1 resources in it"):
        await stand_in.administration.apply([PodSpec("Pod1", "az9")])


async def test_a_pod_that_changes_its_zone_leaves_its_bindings(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE, TWO])
    for name in ("Pod1", "Pod2"):
        pod = await stand_in.administration.pod(name)
        await stand_in.administration.create_binding("project", pod)

    await stand_in.administration.apply([PodSpec("Pod1", "az9")])

    bindings = await stand_in.administration.bindings()
    assert [binding.availability_zone for binding in bindings] == ["az2"]


async def test_replicas_may_apply_the_same_file_at_once(stand_in: StandIn) -> None:
    replica = StandIn(stand_in.store)

    await asyncio.gather(
        *(which.administration.apply([ONE, TWO]) for which in (stand_in, replica) * 5)
    )

    assert [pod.name for pod in await stand_in.administration.pods()] == ["Pod1", "Pod2"]


async def test_setting_the_state_it_has_tells_nobody(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])

    await stand_in.administration.set_state("Pod1", PodState.ENABLED)

    assert stand_in.changes == 1


async def test_a_pod_that_owns_resources_is_deleted_only_by_force(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])
    await stand_in.store.record([Owner("1", "server", "Pod1")])

    with pytest.raises(InUse):
        await stand_in.administration.delete_pod("Pod1")
    await stand_in.administration.delete_pod("Pod1", force=True)

    with pytest.raises(Missing):
        await stand_in.administration.pod("Pod1")
    assert stand_in.changes == 2


async def test_a_project_is_bound_in_the_zone_of_the_pod(stand_in: StandIn) -> None:
    await stand_in.administration.apply([ONE])
    pod = await stand_in.administration.pod("Pod1")

    binding = await stand_in.administration.create_binding("project", pod)

    assert binding.availability_zone == "az1"
    with pytest.raises(Conflict):
        await stand_in.administration.create_binding("project", pod)
    with pytest.raises(Invalid):
        await stand_in.administration.create_binding("", pod)


async def test_zones_are_those_of_pods_that_are_asked(stand_in: StandIn) -> None:
    await stand_in.administration.apply(
        [
            ONE,
            PodSpec("Pod2", "az1", state=PodState.CORDONED),
            PodSpec("Pod3", "az2", state=PodState.CORDONED),
            PodSpec("Pod4", "az3", state=PodState.DISABLED),
        ]
    )

    zones = await stand_in.administration.zones()

    assert [(zone.name, zone.available, zone.pods) for zone in zones] == [
        ("az1", True, ("Pod1", "Pod2")),
        ("az2", False, ("Pod3",)),
    ]


async def test_what_no_database_can_keep_is_in_none(stand_in: StandIn) -> None:
    assert await stand_in.administration.bindings("a\0b") == []
    with pytest.raises(Missing):
        await stand_in.administration.delete_pod("a\0b")


async def test_more_pods_than_there_are_numbers_are_refused_before_one_is_written(
    stand_in: StandIn,
) -> None:
    many = [PodSpec(f"Pod{number}", "az1") for number in range(HIGHEST_NUMBER)]
    await stand_in.administration.apply([PodSpec("Other", "az1")])

    with pytest.raises(Invalid, match="4095 pods, not 4096"):
        await stand_in.administration.apply(many)
    with pytest.raises(Invalid, match="4095 pods, not 4096"):
        await stand_in.administration.apply([*many, PodSpec("One", "az1")], dry_run=True)

    assert [pod.name for pod in await stand_in.administration.pods()] == ["Other"]
