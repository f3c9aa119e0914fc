"""Administration over gRPC."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest

from control_plane.model.intent import Intent
from control_plane.model.owner import Owner
from control_plane.pb import administration_pb2 as pb
from control_plane.pb.administration_pb2_grpc import AdministrationStub
from control_plane.replication.arrival import FACT
from tests.administration.stand_in import ADMIN, MEMBER, StandIn, grpc_server


@pytest.fixture
async def stub(stand_in: StandIn) -> AsyncIterator[Any]:
    async with (
        grpc_server(stand_in.administration) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield AdministrationStub(channel)


AS_ADMIN = {"metadata": (("x-auth-token", ADMIN),), "timeout": 10}
INTENT = Intent("Pod1", "compute/flavor/1", "compute", "POST", "/flavors", reason="no answer")
POD = pb.Pod(
    name="Pod1",
    availability_zone="az1",
    state="cordoned",
    weight=0,
    labels={"gpu": "true"},
    endpoints={"compute": "http://10.0.0.1:8774"},
)


async def _code(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((), grpc.StatusCode.UNAUTHENTICATED),
        ((("x-auth-token", "nobody"),), grpc.StatusCode.UNAUTHENTICATED),
        ((("x-auth-token", MEMBER),), grpc.StatusCode.PERMISSION_DENIED),
    ],
)
async def test_every_call_needs_an_administrator(
    stub: Any, metadata: Any, code: grpc.StatusCode
) -> None:
    for method in pb.DESCRIPTOR.services_by_name["Administration"].methods:
        request = getattr(pb, method.input_type.name)()

        assert await _code(getattr(stub, method.name)(request, metadata=metadata)) is code


async def test_a_pod_travels_unchanged(stub: Any) -> None:
    applied = await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    shown = await stub.GetPod(pb.GetPodRequest(name="Pod1"), **AS_ADMIN)

    assert applied.results[0].outcome == pb.AppliedPod.OUTCOME_CREATED
    assert applied.results[0].pod.weight == 0
    assert shown.id
    assert shown.HasField("created_at")
    assert not shown.HasField("updated_at")
    for key in ("name", "availability_zone", "state", "weight", "labels", "endpoints"):
        assert getattr(shown, key) == getattr(POD, key)


async def test_a_weight_that_is_left_out_is_100(stub: Any) -> None:
    pod = pb.Pod(name="Pod1", availability_zone="az1")

    applied = await stub.ApplyPods(pb.ApplyPodsRequest(pods=[pod]), **AS_ADMIN)

    assert applied.results[0].pod.weight == 100
    assert applied.results[0].pod.state == "enabled"


async def test_a_pod_tells_how_many_resources_it_has(stub: Any, stand_in: StandIn) -> None:
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    await stand_in.store.record([Owner("1", "server", "Pod1"), Owner("2", "server", "Pod2")])

    assert (await stub.GetPod(pb.GetPodRequest(name="Pod1"), **AS_ADMIN)).resources == 1


async def test_a_pod_tells_whether_it_has_what_the_others_have(
    stub: Any, stand_in: StandIn
) -> None:
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    await stand_in.store.add_intents([INTENT])
    new = await stub.GetPod(pb.GetPodRequest(name="Pod1"), **AS_ADMIN)

    await stand_in.store.put_fact("Pod1", FACT, {"flavor 1": "409: exists"})
    behind = await stub.GetPod(pb.GetPodRequest(name="Pod1"), **AS_ADMIN)
    [intent] = await stand_in.store.intents()
    await stand_in.store.finish(intent.id)
    ready = await stub.GetPod(pb.GetPodRequest(name="Pod1"), **AS_ADMIN)

    assert (new.ready, new.pending, new.number) == (False, 1, 1)
    assert (behind.ready, behind.pending) == (False, 1)
    assert (ready.ready, ready.pending) == (True, 0)
    assert dict(ready.problems) == {"flavor 1": "409: exists"}


async def test_pending_writes_are_listed_of_one_pod_or_all(stub: Any, stand_in: StandIn) -> None:
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    await stand_in.store.add_intents([INTENT, replace(INTENT, pod="Pod2")])

    of_all = (await stub.ListPending(pb.ListPendingRequest(), **AS_ADMIN)).writes
    [of_one] = (await stub.ListPending(pb.ListPendingRequest(pod="Pod1"), **AS_ADMIN)).writes

    assert [write.pod for write in of_all] == ["Pod1", "Pod2"]
    assert (of_one.method, of_one.path, of_one.reason) == ("POST", "/flavors", "no answer")
    assert not of_one.refused


async def test_errors_have_their_codes(stub: Any, stand_in: StandIn) -> None:
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    await stand_in.store.record([Owner("1", "server", "Pod1")])
    binding = pb.CreateBindingRequest(project_id="project", pod="Pod1")
    await stub.CreateBinding(binding, **AS_ADMIN)
    nameless = pb.ApplyPodsRequest(pods=[pb.Pod(availability_zone="az1")])
    asleep = pb.SetPodStateRequest(name="Pod1", state="asleep")

    assert [
        await _code(stub.GetPod(pb.GetPodRequest(name="Pod9"), **AS_ADMIN)),
        await _code(stub.CreateBinding(binding, **AS_ADMIN)),
        await _code(stub.ApplyPods(nameless, **AS_ADMIN)),
        await _code(stub.SetPodState(asleep, **AS_ADMIN)),
        await _code(stub.DeletePod(pb.DeletePodRequest(name="Pod1"), **AS_ADMIN)),
        await _code(stub.Locate(pb.LocateRequest(id="nowhere"), **AS_ADMIN)),
    ] == [
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
    ]


async def test_what_nobody_foresaw_is_internal(stub: Any, stand_in: StandIn) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    stand_in.administration._on_change = fail

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "ZeroDivision" not in str(caught.value.details())


async def test_bindings_are_listed_by_project_and_pod(stub: Any) -> None:
    two = pb.Pod(name="Pod2", availability_zone="az2")
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD, two]), **AS_ADMIN)
    for project, pod in (("a", "Pod1"), ("a", "Pod2"), ("b", "Pod1")):
        request = pb.CreateBindingRequest(project_id=project, pod=pod)
        await stub.CreateBinding(request, **AS_ADMIN)

    async def listed(**filters: str) -> list[tuple[str, str]]:
        answer = await stub.ListBindings(pb.ListBindingsRequest(**filters), **AS_ADMIN)
        return sorted((entry.project_id, entry.pod) for entry in answer.bindings)

    assert await listed() == [("a", "Pod1"), ("a", "Pod2"), ("b", "Pod1")]
    assert await listed(project_id="a") == [("a", "Pod1"), ("a", "Pod2")]
    assert await listed(pod="Pod1") == [("a", "Pod1"), ("b", "Pod1")]


async def test_a_binding_is_deleted(stub: Any) -> None:
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[POD]), **AS_ADMIN)
    request = pb.CreateBindingRequest(project_id="project", pod="Pod1")
    binding = await stub.CreateBinding(request, **AS_ADMIN)

    await stub.DeleteBinding(pb.DeleteBindingRequest(id=binding.id), **AS_ADMIN)

    assert not (await stub.ListBindings(pb.ListBindingsRequest(), **AS_ADMIN)).bindings


async def test_an_id_is_located(stub: Any) -> None:
    found = await stub.Locate(pb.LocateRequest(id="server-1"), **AS_ADMIN)

    assert (found.pod, found.availability_zone, found.resource) == ("Pod1", "az1", "server")
    assert (found.project_id, found.source) == ("project", "database")


async def test_zones_and_proxies_are_told(stub: Any) -> None:
    enabled = pb.Pod(name="Pod1", availability_zone="az1")
    await stub.ApplyPods(pb.ApplyPodsRequest(pods=[enabled]), **AS_ADMIN)

    (zone,) = (await stub.ListZones(pb.ListZonesRequest(), **AS_ADMIN)).zones
    (proxy,) = (await stub.ProxyStatus(pb.ProxyStatusRequest(), **AS_ADMIN)).proxies

    assert (zone.name, zone.available, list(zone.pods)) == ("az1", True, ["Pod1"])
    assert (proxy.node, proxy.resources[0].state) == ("gateway-1", pb.ProxyResources.STATE_SYNCED)
