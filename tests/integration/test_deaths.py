"""A write for all pods is ended by whoever comes after the process that began it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration import tenant as tenants
from tests.integration.cloud import until
from tests.integration.gateway import Gateway
from tests.integration.relay import Relay
from tests.integration.tenant import Tenant
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings

pytestmark = pytest.mark.openstack


@pytest.fixture
def way(pods: list[Pod]) -> Iterator[Relay]:
    """A way of its own to the second pod's Nova."""
    with Relay.to(pods[1], "nova") as relay:
        yield relay


@pytest.fixture
def mortal(settings: Settings, pods: list[Pod], way: Relay, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that may be killed."""
    compute = {"compute": f"http://127.0.0.1:{way.port}/v2.1"}
    with Gateway(settings, pods, tmp_path, {pods[1].name: compute}) as gateway:
        yield gateway


@pytest.fixture
def owner(settings: Settings, pods: list[Pod], mortal: Gateway) -> Iterator[Tenant]:
    """A project behind it."""
    with tenants.lent(settings, pods, mortal.url) as tenant:
        yield tenant


def test_a_flavor_is_in_every_pod_though_its_gateway_was_killed_between_them(
    way: Relay, mortal: Gateway, owner: Tenant
) -> None:
    first, second = owner.direct_admin.values()
    name = f"death-{uuid4().hex[:8]}"
    body = {"flavor": {"id": name, "name": name, "ram": 64, "disk": 0, "vcpus": 1}}

    def ask() -> None:
        with suppress(OSError):
            owner.admin.post("compute", "/flavors", body)

    with ThreadPoolExecutor() as clients:
        way.hold()
        asked = clients.submit(ask)
        until("in the first pod", lambda: first.has("compute", f"/flavors/{name}"), bool)
        mortal.kill()
        asked.result()
    way.mend()
    without = second.has("compute", f"/flavors/{name}")
    mortal.start()

    until("in the second pod", lambda: second.has("compute", f"/flavors/{name}"), bool)
    assert not without
    assert owner.admin.delete("compute", f"/flavors/{name}").status == 202
    until("gone", lambda: second.has("compute", f"/flavors/{name}"), lambda there: not there)
