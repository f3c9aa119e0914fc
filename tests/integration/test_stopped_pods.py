"""A pod's own API dies, or hangs, in the middle of a list and of a write for all pods.

The processes are the pod's real ones: killed they refuse connections, stopped they take them and
say nothing. What the list has of other pods comes all the same, once, and says that a part is
missing; what was written is in the pod when it is back.
"""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.integration import tenant as tenants
from tests.integration.cloud import Cloud, until
from tests.integration.gateway import Gateway
from tests.integration.relay import Relay
from tests.integration.tenant import Tenant
from tests.openstack.client import Answer
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import cinder, nova
from tests.openstack.settings import Settings

pytestmark = pytest.mark.openstack

_KILLED, _HUNG = "killed", "hung"
_START = {"nova": nova.start_api, "cinder": cinder.start_api}
#: Servers of each zone, and of a page.
_MANY, _PAGE = 8, 3


@pytest.fixture(scope="module")
def way(pods: list[Pod]) -> Iterator[Relay]:
    """A way of its own to the second pod's Nova."""
    with Relay.to(pods[1], "nova") as relay:
        yield relay


@pytest.fixture(scope="module")
def patient(
    settings: Settings, pods: list[Pod], way: Relay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that does not wait long for pods that hang."""
    compute = {"compute": f"http://127.0.0.1:{way.port}/v2.1"}
    more = {"timeouts": {"pod": 12, "list": 6}}
    folder = tmp_path_factory.mktemp("patient")
    with Gateway(settings, pods, folder, {pods[1].name: compute}, more=more) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def owner(settings: Settings, pods: list[Pod], patient: Gateway) -> Iterator[Tenant]:
    """A project behind it."""
    with tenants.lent(settings, pods, patient.url) as tenant:
        yield tenant


@pytest.fixture(scope="module")
def servers(owner: Tenant, zones: tuple[str, str]) -> dict[str, list[str]]:
    """Servers of both zones, by zone."""
    for zone in zones:
        owner.cloud.create_server("walk", zone, networks="none", min_count=_MANY, max_count=_MANY)

    def made(pod: Cloud) -> list[str]:
        found = pod.read("compute", "/servers/detail")["servers"]
        return [entry["id"] for entry in found if entry["status"] == "ACTIVE"]

    found = {}
    for zone, pod in owner.direct.items():
        found[zone] = until("servers", partial(made, pod), lambda ids: len(ids) == _MANY, 180)
    return found


class Victim:
    """The second pod, whose APIs are killed or stopped and brought back."""

    def __init__(self, settings: Settings, pod: Pod, cloud: Cloud) -> None:
        """Take the pod and a project's view of the gateway."""
        self._processes = Processes(settings)
        self._pod = pod
        self._cloud = cloud
        self._lost: dict[str, str] = {}

    def stop(self, service: str, how: str) -> None:
        """Kill a service's API, or let it hang."""
        name = f"{self._pod.key}-{service}-api"
        pid = self._processes.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL if how == _KILLED else signal.SIGSTOP)
        self._lost[service] = how
        if how == _KILLED:
            until("it is gone", lambda: self._processes.pid(name), lambda found: found is None)

    def resume(self) -> None:
        """Bring all of it back, and wait until lists have it again."""
        for service, how in self._lost.items():
            name = f"{self._pod.key}-{service}-api"
            pid = self._processes.pid(name)
            if how == _HUNG and pid is not None:
                os.kill(pid, signal.SIGCONT)
            _START[service](self._pod, self._processes)
            self._processes.wait_for_http(f"{self._pod.url(service)}/", name)
        self._lost.clear()
        _whole(self._cloud)


@pytest.fixture
def victim(settings: Settings, pods: list[Pod], owner: Tenant) -> Iterator[Victim]:
    """The second pod, which is back when the test is over."""
    victim = Victim(settings, pods[1], owner.cloud)
    yield victim
    victim.resume()


def _whole(cloud: Cloud) -> None:
    until(
        "no part missing",
        lambda: cloud.get("compute", "/servers?limit=1").headers["x-trio2o-missing"],
        lambda missing: missing is None,
    )


def _pages(cloud: Cloud, marker: str = "", most: int = 100) -> list[Answer]:
    """Take pages by markers until one is empty, `most` of them at most."""
    found: list[Answer] = []
    while len(found) < most:
        behind = f"&marker={marker}" if marker else ""
        answer = cloud.get("compute", f"/servers?limit={_PAGE}{behind}", version="2.90")
        assert answer.status == 200, answer.text
        if not answer.json["servers"]:
            break
        found.append(answer)
        marker = answer.json["servers"][-1]["id"]
    return found


def _ids(pages: Sequence[Answer]) -> list[str]:
    return [entry["id"] for page in pages for entry in page.json["servers"]]


@pytest.mark.parametrize("how", [_KILLED, _HUNG])
def test_pages_go_on_without_a_pod_that_is_lost_between_them(
    owner: Tenant,
    servers: dict[str, list[str]],
    zones: tuple[str, str],
    victim: Victim,
    how: str,
) -> None:
    whole = _ids(_pages(owner.cloud))
    first = _pages(owner.cloud, most=2)

    victim.stop("nova", how)
    rest = _pages(owner.cloud, marker=_ids(first)[-1])
    found = _ids([*first, *rest])
    victim.resume()
    behind = _ids(_pages(owner.cloud, marker=_ids(first)[-1]))

    assert {page.headers["x-trio2o-missing"] for page in rest} == {zones[1]}
    assert len(found) == len(set(found))
    assert found == [entry for entry in whole if entry in found]
    assert set(servers[zones[0]]) <= set(found)
    assert _ids(first) + behind == whole
    assert sorted(whole) == sorted(servers[zones[0]] + servers[zones[1]])


@pytest.mark.parametrize("how", [_KILLED, _HUNG])
def test_a_pod_that_is_lost_in_the_middle_of_its_answer_is_missing_whole(
    owner: Tenant, servers: dict[str, list[str]], zones: tuple[str, str], way: Relay, how: str
) -> None:
    whole = _ids(_pages(owner.cloud))

    way.lose_within(4000, b"GET /v2.1/servers/detail", hangs=how == _HUNG)
    try:
        answer = owner.cloud.get("compute", "/servers/detail?limit=1000")
        lost = way.is_lost
    finally:
        way.mend()
        _whole(owner.cloud)

    assert lost
    assert answer.status == 200
    assert answer.headers["x-trio2o-missing"] == zones[1]
    assert sorted(_ids([answer])) == sorted(servers[zones[0]])
    assert _ids(_pages(owner.cloud)) == whole


@pytest.mark.parametrize("how", [_KILLED, _HUNG])
def test_from_2_69_on_all_servers_of_a_stopped_pod_are_listed_as_unknown(
    owner: Tenant, servers: dict[str, list[str]], zones: tuple[str, str], victim: Victim, how: str
) -> None:
    victim.stop("nova", how)

    answer = owner.cloud.get("compute", "/servers/detail", version="2.69")

    unknown = [entry["id"] for entry in answer.json["servers"] if entry["status"] == "UNKNOWN"]
    known = [entry["id"] for entry in answer.json["servers"] if entry["status"] == "ACTIVE"]
    assert answer.headers["x-trio2o-missing"] == zones[1]
    assert sorted(unknown) == sorted(servers[zones[1]])
    assert sorted(known) == sorted(servers[zones[0]])


@pytest.mark.parametrize("how", [_KILLED, _HUNG])
def test_what_is_written_while_a_pod_is_stopped_is_pending_and_then_there(
    owner: Tenant,
    patient: Gateway,
    pods: list[Pod],
    zones: tuple[str, str],
    victim: Victim,
    how: str,
) -> None:
    admin, second = owner.admin, owner.direct_admin[zones[1]]
    name, project = f"stopped-{uuid4().hex[:8]}", owner.cloud.client.project_id
    flavor = {"flavor": {"id": name, "name": name, "ram": 64, "disk": 0, "vcpus": 1}}
    quota, volumes = {"quota_set": {"cores": 23}}, {"quota_set": {"volumes": 23}}
    kind = {"volume_type": {"name": name, "extra_specs": {"my:a": "b"}}}

    victim.stop("nova", how)
    victim.stop("cinder", how)
    written = [
        admin.post("compute", "/flavors", flavor),
        admin.post("compute", f"/flavors/{name}/os-extra_specs", {"extra_specs": {"x:y": "1"}}),
        admin.put("compute", f"/os-quota-sets/{project}", quota),
        admin.post("volume", "/types", kind),
        admin.put("volume", f"/os-quota-sets/{project}", volumes),
    ]
    waiting = _pending(patient)
    victim.resume()
    left = until("nothing pending", lambda: _pending(patient), lambda found: not found, 120)

    assert {answer.status for answer in written} <= {200, 202}, [a.text for a in written]
    assert {answer.headers["x-trio2o-missing"] for answer in written} == {zones[1]}
    assert len(waiting) >= len(written)
    assert {write["pod"] for write in waiting} == {pods[1].name}
    assert not left
    shown = second.read("compute", f"/flavors/{name}")["flavor"]
    assert shown["extra_specs"] == {"x:y": "1"}
    assert second.read("compute", f"/os-quota-sets/{project}")["quota_set"]["cores"] == 23
    assert second.read("volume", f"/os-quota-sets/{project}")["quota_set"]["volumes"] == 23
    types = {entry["name"]: entry for entry in second.read("volume", "/types")["volume_types"]}
    assert types[name]["extra_specs"] == {"my:a": "b"}
    assert admin.delete("compute", f"/flavors/{name}").status == 202
    assert admin.delete("volume", f"/types/{written[3].json['volume_type']['id']}").status == 202


def test_a_write_whose_answer_was_lost_is_done_once(
    owner: Tenant, patient: Gateway, zones: tuple[str, str], way: Relay
) -> None:
    second = owner.direct_admin[zones[1]]
    name = f"stopped-{uuid4().hex[:8]}"
    flavor = {"flavor": {"id": name, "name": name, "ram": 64, "disk": 0, "vcpus": 1}}

    way.lose_within(0, b"POST /v2.1/flavors ")
    try:
        answer = owner.admin.post("compute", "/flavors", flavor)
        lost, held = way.is_lost, second.has("compute", f"/flavors/{name}")
    finally:
        way.mend()
        _whole(owner.cloud)
    left = until("nothing pending", lambda: _pending(patient), lambda found: not found, 120)

    assert lost
    assert held
    assert answer.status == 200, answer.text
    assert not left
    assert second.has("compute", f"/flavors/{name}")
    assert owner.admin.delete("compute", f"/flavors/{name}").status == 202


def _pending(gateway: Gateway) -> list[dict[str, Any]]:
    found = json.loads(gateway.command("get", "pending", "-o", "json"))["pending"]
    return list(found)
