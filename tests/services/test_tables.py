"""What holds for the rows of all services together."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from control_plane.services.catalog import SERVICES, service_named
from control_plane.services.operation import Kind, Operation, Ref
from control_plane.services.service import Service
from control_plane.services.table import Table

#: The handlers there are; a row with none of them is answered 501.
HANDLERS = {
    "",
    "action",
    "aggregate",
    "audit",
    "broadcast",
    "copies",
    "events",
    "gone",
    "group",
    "limits",
    "local",
    "pattern",
    "quotas",
    "resource_filters",
    "route",
    "schedule",
    "seek",
    "single",
    "statistics",
    "summary",
    "together",
    "usage",
    "versions",
    "zones",
}

#: Endpoints (methods times paths) a service and kind: route, schedule, aggregate, broadcast,
#: computed, cross, single, static.
COUNTS = {
    "compute": (72, 6, 28, 22, 12, 5, 9, 55),
    "volume": (83, 4, 29, 31, 7, 5, 13, 3),
    "network": (126, 4, 27, 79, 11, 12, 33, 4),
    "image": (6, 1, 5, 36, 5, 0, 12, 16),
    "placement": (20, 1, 4, 5, 1, 2, 2, 1),
}
ORDER = (
    Kind.ROUTE,
    Kind.SCHEDULE,
    Kind.AGGREGATE,
    Kind.BROADCAST,
    Kind.COMPUTED,
    Kind.CROSS,
    Kind.SINGLE,
    Kind.STATIC,
)

#: Every row with its service.
ROWS = [(service, row) for service in SERVICES for row in service.operations]

#: The resources references may name: those that pods can be asked for.
PROBED = {
    resource.name: resource
    for service in SERVICES
    for resource in service.resources.values()
    if resource.probe or resource.survey
}

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


def parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def references(row: Operation) -> Iterator[Ref]:
    if row.owner:
        yield row.owner
    yield from (*row.pins, *row.copies, *row.same_pod)


@each_service
def test_every_endpoint_has_a_row(service: Service) -> None:
    counted = Counter(row.kind for row in service.operations for _ in row.methods)

    assert tuple(counted[kind] for kind in ORDER) == COUNTS[service.name]


def test_there_are_797_endpoints() -> None:
    assert sum(len(row.methods) for _, row in ROWS) == 797


@each_service
def test_no_two_rows_claim_one_endpoint(service: Service) -> None:
    shapes = Counter(
        (method, re.sub(r"\{\w+\}", "{}", row.path))
        for row in service.operations
        for method in row.methods
    )

    assert [shape for shape, times in shapes.items() if times > 1] == []


@each_service
def test_handlers_exist(service: Service) -> None:
    assert {row.handler for row in service.operations} <= HANDLERS


@each_service
def test_parameters_of_a_path_differ(service: Service) -> None:
    twice = [
        row.path
        for row in service.operations
        if len(parameters(row.path)) != len(set(parameters(row.path)))
    ]

    assert twice == []


@each_service
def test_routed_row_says_who_owns(service: Service) -> None:
    owners = {
        row.path: row.owner.resource if row.owner else parameters(row.path)[0]
        for row in service.operations
        if row.handler == "route"
    }

    assert {path for path, owner in owners.items() if owner not in PROBED} == set()


@each_service
def test_references_name_resources_that_can_be_asked_for(service: Service) -> None:
    named = {ref.resource for row in service.operations if row.handled for ref in references(row)}

    assert named <= PROBED.keys()


@each_service
def test_answers_are_resources_of_the_service(service: Service) -> None:
    assert {row.answer for row in service.operations} - {""} <= service.resources.keys()


@each_service
def test_handled_list_zone_or_create_names_its_answer(service: Service) -> None:
    needing = {"aggregate", "schedule", "zones"}
    silent = [
        row.path
        for row in service.operations
        if (row.handler in needing or (row.handler == "broadcast" and row.creates))
        and not row.answer
    ]

    assert silent == []


@each_service
def test_what_is_created_can_be_found_again(service: Service) -> None:
    created = {row.answer for row in service.operations if row.creates and row.handled}

    assert {service.resources[answer].name for answer in created} <= PROBED.keys()


@each_service
def test_reduced_list_is_asked_in_full_and_keeps_the_id(service: Service) -> None:
    table = Table(service)

    for row in service.operations:
        if row.source:
            asked = table.match("GET", row.source).operation
            assert (asked.kind, asked.answer, asked.source) == (Kind.AGGREGATE, row.answer, "")
            assert service.resources[row.answer].identity in row.fields


def test_only_lists_have_a_source() -> None:
    assert {row.kind for _, row in ROWS if row.source or row.fields} == {Kind.AGGREGATE}


@each_service
def test_bounds_are_microversions_of_the_service(service: Service) -> None:
    bounds = {
        bound for row in service.operations for bound in (row.since, row.until) if bound is not None
    }

    assert bool(bounds) == (service.name in {"compute", "volume"})
    if service.microversions:
        assert all(bound > service.microversions.default for bound in bounds)


@each_service
def test_probe_is_a_path_of_the_resource_itself(service: Service) -> None:
    table = Table(service)

    for resource in service.resources.values():
        if resource.probe and resource.name != "network_ip_availability":
            path = resource.probe.format(id="x").partition("?")[0]
            found = table.match("GET", path)
            assert list(found.params.values()) == ["x"]
            assert found.params.keys() <= {resource.name}


def test_probed_resources_of_two_services_have_different_names() -> None:
    probed = [
        name
        for service in SERVICES
        for name, resource in service.resources.items()
        if resource.probe
    ]

    assert len(probed) == len(set(probed))


def test_image_data_is_never_read() -> None:
    table = Table(service_named("image"))

    assert not table.match("PUT", "/images/x/file").operation.reads_body
    assert not table.match("PUT", "/images/x/stage").operation.reads_body


def test_gets_that_change_something_are_marked() -> None:
    marked = {row.path for _, row in ROWS if row.side_effect}

    assert marked == {
        "/os-hosts/{host}/reboot",
        "/os-hosts/{host}/shutdown",
        "/os-hosts/{host}/startup",
        "/qos-specs/{qos_spec}/associate",
        "/qos-specs/{qos_spec}/disassociate",
        "/qos-specs/{qos_spec}/disassociate_all",
        "/auto-allocated-topology/{project}",
    }


def test_ids_and_hosts_that_repeat_from_pod_to_pod_are_translated() -> None:
    compute, volume = service_named("compute").resources, service_named("volume").resources
    numbered = {"aggregate", "hypervisor", "hypervisor_match", "migration", "nova_service"}
    hosted = {"aggregate", "host", "hypervisor", "migration", "nova_service", "server"}

    assert {name for name, kind in compute.items() if "id" in kind.numbers} == numbered
    assert hosted <= {name for name, kind in compute.items() if kind.hosts}
    assert {"volume", "host", "pool", "volume_service"} <= {
        name for name, kind in volume.items() if kind.hosts
    }
    assert compute["server"].obscured == ("hostId",)


def test_create_of_a_server_is_pinned_by_all_it_names() -> None:
    row = Table(service_named("compute")).match("POST", "/servers").operation

    assert {ref.resource for ref in row.pins} == {
        "volume",
        "snapshot",
        "port",
        "network",
        "server",
    }
    assert {ref.resource for ref in row.copies} == {"image", "flavor"}


@each_service
def test_handled_list_is_merged_by_fields_its_items_have(service: Service) -> None:
    """An identity other than `id` means that items have no `id`."""
    for row in service.operations:
        if row.handler == "aggregate":
            resource = service.resources[row.answer]
            needed = {resource.merge_by, *(key.field for key in resource.order)}
            assert resource.identity == "id" or "id" not in needed
