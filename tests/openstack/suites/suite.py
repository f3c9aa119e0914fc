"""Which suites there are: each is a package's own functional tests, run as its project does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: What the suites want beside the clients, whose versions are those of `constraints.txt`.
TOOLS = (
    "stestr==4.2.1",
    "tempest==47.0.0",
    "oslotest==6.1.1",
    "requests-mock==1.12.1",
    "ddt==1.7.2",
)


@dataclass(frozen=True, slots=True)
class Suite:
    """One client's functional tests."""

    name: str
    distribution: str
    #: The importable package with the tests.
    package: str
    #: Which of them concern what the gateway does.
    regex: str
    #: What its project's tox.ini sets; `{venv}` and `{region}` are filled in.
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Folders of the tests that want more of the source than a wheel has: discovery fails on them.
    left_out: tuple[str, ...] = ()
    #: Whether its clients read `OS_…` of the environment.
    by_environment: bool = False


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            name="sdk",
            distribution="openstacksdk",
            package="openstack.tests.functional",
            regex=(
                r"functional\.(compute|block_storage|image)\."
                r"|functional\.cloud\.test_(block_storage|compute|image|inventory|meta|network)"
                r"|functional\.cloud\.test_project_cleanup"
            ),
            variables={
                # Its default is five seconds a test.
                "OS_TEST_TIMEOUT": "180",
                "OPENSTACKSDK_FUNC_TEST_TIMEOUT": "60",
                "OPENSTACKSDK_FLAVOR": "m1.nano",
                "OPENSTACKSDK_IMAGE": "cirros-lab",
            },
            left_out=("examples",),
        ),
        Suite(
            name="nova",
            distribution="python-novaclient",
            package="novaclient.tests.functional",
            regex="functional",
            variables={
                "OS_TEST_TIMEOUT": "180",
                "OS_NOVACLIENT_NETWORK": "lab-net",
                "OS_NOVACLIENT_EXEC_DIR": "{venv}/bin",
                "TOX_ENV_DIR": "{venv}",
            },
            by_environment=True,
        ),
        Suite(
            name="cinder",
            distribution="python-cinderclient",
            package="cinderclient.tests.functional",
            regex="functional",
            variables={"OS_CINDERCLIENT_EXEC_DIR": "{venv}/bin"},
            by_environment=True,
        ),
        Suite(
            name="osc",
            distribution="python-openstackclient",
            package="openstackclient.tests.functional",
            regex=r"functional\.(compute\.v2|volume\.v3)\.",
        ),
    )
}
