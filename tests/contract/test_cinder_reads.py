"""Every GET of Cinder that the gateway handles, in the shape of a pod's own answer.

Cinder has no schemas of its answers.
"""

import pytest

from control_plane.services.cinder import VOLUME
from control_plane.services.operation import Operation
from tests.contract.comparison import compare
from tests.contract.project import Project

pytestmark = pytest.mark.openstack

VERSIONS = ("3.0", "3.27", "3.50", "3.71")
_READS = [
    operation
    for operation in VOLUME.operations
    # The version document is held by the tests of the catalog's documents.
    if operation.path != "/"
    and "GET" in operation.methods
    and operation.handled
    and not operation.side_effect
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("operation", _READS, ids=lambda operation: operation.path)
def test_a_read_has_the_shape_of_the_pods_answers(
    project: Project, operation: Operation, version: str
) -> None:
    tenant = project.tenant
    told = []
    for role, cloud, direct in (
        ("member", tenant.cloud, tenant.direct),
        ("admin", tenant.admin, tenant.direct_admin),
    ):
        found = cloud.get("volume", project.path(cloud, operation.path, version), version=version)
        pods = [
            pod.get("volume", project.path(pod, operation.path, version), version=version)
            for pod in direct.values()
        ]
        told += [f"{role}: {entry}" for entry in compare(found, pods)]

    assert not told, "\n".join(told)
