"""Every GET of Nova that the gateway handles: as Nova's schemas promise and as a pod answers."""

import pytest

from control_plane.services.nova import COMPUTE
from control_plane.services.operation import Operation
from tests.contract.comparison import compare
from tests.contract.project import Project
from tests.contract.schemas import Schemas
from tests.integration.cloud import Cloud

pytestmark = pytest.mark.openstack

#: The first, the last, and three where much changed between.
VERSIONS = ("2.1", "2.47", "2.69", "2.90", "2.104")
_READS = [
    pytest.param(operation, version, id=f"{operation.path}-{version}")
    for operation in COMPUTE.operations
    if "GET" in operation.methods
    and operation.handled
    and not operation.side_effect
    # There is no Ironic in the pods, and they answer 500 themselves.
    and "baremetal" not in operation.path
    # What was removed is 410 whatever the version.
    for version in (VERSIONS[-1:] if operation.handler == "gone" else VERSIONS)
]


@pytest.mark.parametrize(("operation", "version"), _READS)
def test_a_read_is_what_nova_promises_and_pods_answer(
    project: Project, schemas: Schemas, operation: Operation, version: str
) -> None:
    tenant = project.tenant
    told = []
    for role, cloud, direct in (
        ("member", tenant.cloud, tenant.direct),
        ("admin", tenant.admin, tenant.direct_admin),
    ):
        found = cloud.get("compute", project.path(cloud, operation.path, version), version=version)
        pods = [
            pod.get("compute", project.path(pod, operation.path, version), version=version)
            for pod in direct.values()
        ]
        told += [f"{role}: {entry}" for entry in compare(found, pods)]
        # A schema that pods do not keep themselves (names of hosts that must be UUIDs) is wrong.
        if found.status == 200 and not schemas.faults("GET", operation.path, version, pods[0].json):
            faults = schemas.faults("GET", operation.path, version, found.json)
            told += [f"{role}: schema: {fault}" for fault in faults]

    assert not told, "\n".join(told)


def test_the_schemas_of_nova_are_all_there(schemas: Schemas) -> None:
    assert len(schemas) > 200


def test_a_wrong_answer_is_noticed(project: Project, schemas: Schemas) -> None:
    cloud: Cloud = project.tenant.cloud
    answer = cloud.read("compute", f"/servers/{project.ids['server']}", version="2.104")
    answer["server"]["OS-EXT-AZ:availability_zone"] = 1
    del answer["server"]["id"]

    faults = schemas.faults("GET", "/servers/{server}", "2.104", answer)

    assert faults
