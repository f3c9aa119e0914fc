"""Fixtures: the gateway before both pods, one project with everything, Nova's schemas."""

from collections.abc import Iterator

import pytest

from tests.contract import project as projects
from tests.contract import schemas as nova_schemas
from tests.contract.project import Project
from tests.contract.schemas import Schemas
from tests.integration import tenant as tenants
from tests.integration.gateway import Gateway
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
def gateway(
    settings: Settings, pods: list[Pod], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The product before both pods."""
    with Gateway(settings, pods, tmp_path_factory.mktemp("contract"), {}) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def zones(pods: list[Pod]) -> tuple[str, str]:
    """The zones users see, the first pod's first."""
    return pods[0].zone, pods[1].zone


@pytest.fixture(scope="session")
def schemas(settings: Settings, pods: list[Pod]) -> Schemas:
    """What Nova promises of its answers."""
    assert pods
    return nova_schemas.load(settings)


@pytest.fixture(scope="session")
def project(
    settings: Settings, pods: list[Pod], gateway: Gateway, zones: tuple[str, str]
) -> Iterator[Project]:
    """A project with one of each thing, used through the gateway."""
    with tenants.lent(settings, pods, gateway.url) as tenant:
        project = projects.seed(tenant, zones)
        yield project
        projects.remove(project, zones)
