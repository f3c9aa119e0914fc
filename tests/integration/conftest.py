"""Fixtures of the tests against real pods: the bed, the gateway before it, projects in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.integration import tenant as tenants
from tests.integration.gateway import Gateway
from tests.integration.relay import Relay
from tests.integration.tenant import Tenant
from tests.openstack import bed, health, installation
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The bed's settings, from the environment."""
    return Settings.load()


@pytest.fixture(scope="session")
def pods(settings: Settings) -> list[Pod]:
    """Two healthy pods; brought up when they are not, and left up."""
    found = bed.present(settings)[:2]
    if len(found) == 2 and health.healthy(found):
        return found
    installation.install(settings)
    return bed.up(settings, 2)


@pytest.fixture(scope="session")
def relay(pods: list[Pod]) -> Iterator[Relay]:
    """The way from the gateway to the second pod's Nova, which a test may cut."""
    with Relay.to(pods[1], "nova") as relay:
        yield relay


@pytest.fixture(scope="session")
def gateway(
    settings: Settings, pods: list[Pod], relay: Relay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The product before both pods."""
    compute = {"compute": f"http://127.0.0.1:{relay.port}/v2.1"}
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(settings, pods, folder, {pods[1].name: compute}) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def zones(pods: list[Pod]) -> tuple[str, str]:
    """The zones users see, the first pod's first."""
    return pods[0].zone, pods[1].zone


@pytest.fixture(scope="session")
def new_tenant(
    settings: Settings, pods: list[Pod], gateway: Gateway
) -> Iterator[Callable[[], Tenant]]:
    """Make projects that nobody has used before."""
    with ExitStack() as made:
        yield lambda: made.enter_context(tenants.lent(settings, pods, gateway.url))


@pytest.fixture(scope="module")
def tenant(settings: Settings, pods: list[Pod], gateway: Gateway) -> Iterator[Tenant]:
    """A project for the tests of one file."""
    with tenants.lent(settings, pods, gateway.url) as tenant:
        yield tenant
