"""Placement: microversions 1.0 to 1.39, as of release 16; for operators, and without a version."""

from http import HTTPStatus
from types import MappingProxyType

from control_plane.model.microversion import Microversion
from control_plane.services.operation import (
    NOT_YET,
    Operation,
    Resource,
    SortKey,
    aggregate,
    broadcast,
    computed,
    cross,
    route,
    schedule,
    single,
    static,
)
from control_plane.services.service import (
    FaultForm,
    LinkForm,
    MicroversionHeaders,
    Paging,
    Service,
)

_PROVIDER = "/resource_providers/{resource_provider}"

_RESOURCES = (
    Resource(
        "resource_provider",
        "resource_providers",
        probe="/resource_providers/{id}",
        identity="uuid",
        order=(SortKey("uuid"),),
        merge_by="uuid",
        links=None,
    ),
    Resource(
        "resource_class",
        "resource_classes",
        probe="/resource_classes/{id}",
        identity="name",
        order=(SortKey("name"),),
        replicated=True,
        merge_by="name",
        links=None,
    ),
    Resource("trait", "traits", probe="/traits/{id}", identity="name", links=None),
    Resource("allocation_candidate", "allocation_requests", links=None),
)

_OPERATIONS: tuple[Operation, ...] = (
    static("GET", "/", handler="versions"),
    aggregate("GET", "/resource_classes", "resource_class"),
    # A list of plain texts.
    aggregate("GET", "/traits", "trait", handler=NOT_YET),
    single("GET", "/resource_classes/{resource_class}"),
    single("GET", "/traits/{trait}"),
    broadcast("POST", "/resource_classes", creates=True),
    broadcast("PUT DELETE", "/resource_classes/{resource_class}"),
    broadcast("PUT DELETE", "/traits/{trait}"),
    aggregate("GET", "/resource_providers", "resource_provider"),
    schedule("POST", "/resource_providers", handler=NOT_YET, answer="resource_provider"),
    route("GET PUT DELETE", _PROVIDER, answer="resource_provider"),
    route("GET POST PUT DELETE", f"{_PROVIDER}/inventories"),
    route("GET PUT DELETE", f"{_PROVIDER}/inventories/{{resource_class}}"),
    route("GET", f"{_PROVIDER}/usages"),
    route("GET", f"{_PROVIDER}/allocations"),
    route("GET PUT", f"{_PROVIDER}/aggregates"),
    route("GET PUT DELETE", f"{_PROVIDER}/traits"),
    cross("POST", "/allocations", handler=NOT_YET),
    cross("POST", "/reshaper", handler=NOT_YET),
    # The consumer is a server.
    route("GET PUT DELETE", "/allocations/{server}"),
    aggregate("GET", "/allocation_candidates", "allocation_candidate", handler=NOT_YET),
    computed("GET", "/usages"),
)

PLACEMENT = Service(
    name="placement",
    catalog_types=("placement",),
    prefix="/placement",
    versions=(),
    bare=(),
    fault=FaultForm.ERRORS,
    paging=Paging(None, None, LinkForm.LINKS, HTTPStatus.BAD_REQUEST),
    resources=MappingProxyType({resource.name: resource for resource in _RESOURCES}),
    operations=_OPERATIONS,
    microversions=MicroversionHeaders("placement", Microversion(1, 0)),
)
