import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.model.errors import Refused, Unrouted
from control_plane.services.catalog import SERVICES, service_named
from control_plane.services.operation import route
from control_plane.services.table import Match, Table

PROJECT = "0123456789abcdef0123456789abcdef"
PORT = "0fd1b9c0-7d5e-4a0f-8f0e-6c2b3a1d0001"

TABLES = {service.name: Table(service) for service in SERVICES}


def match(service: str, method: str, rest: str) -> Match:
    return TABLES[service].match(method, rest)


@pytest.mark.parametrize(
    ("service", "rest", "path"),
    [
        ("compute", "/servers/detail", "/servers/detail"),
        ("compute", "/servers/x", "/servers/{server}"),
        ("compute", "/os-hypervisors/statistics", "/os-hypervisors/statistics"),
        ("compute", "/os-cells/info", "/os-cells/info"),
        ("volume", "/types/default", "/types/{volume_type}"),
        ("volume", "/volumes/summary", "/volumes/summary"),
        ("volume", "/default-types", "/default-types"),
        ("network", "/quotas/tenant", "/quotas/tenant"),
        ("network", "/quotas/x", "/quotas/{project}"),
        ("image", "/info/stores/detail", "/info/stores/detail"),
        ("placement", "/", "/"),
    ],
)
def test_literal_goes_before_parameter(service: str, rest: str, path: str) -> None:
    assert match(service, "GET", rest).operation.path == path


def test_parameter_is_tried_when_the_literal_lacks_the_method() -> None:
    found = match("compute", "PUT", "/servers/detail")

    assert found.params == {"server": "detail"}


def test_parameters_come_in_the_order_of_the_path() -> None:
    found = match("compute", "GET", "/servers/s/os-volume_attachments/v")

    assert list(found.params.items()) == [("server", "s"), ("volume", "v")]


def test_rows_name_the_parameters_of_one_place_each_in_its_own_way() -> None:
    assert match("compute", "GET", "/os-networks/n").params == {"network": "n"}
    assert match("compute", "DELETE", "/os-networks/n").params == {"network": "n"}


@pytest.mark.parametrize("service", ["compute", "volume"])
@pytest.mark.parametrize("project", [PROJECT, "0fd1b9c0-7d5e-4a0f-8f0e-6c2b3a1d0001", "ABC"])
def test_project_may_stand_first(service: str, project: str) -> None:
    found = match(service, "GET", f"/{project}/limits")

    assert (found.operation.path, found.project) == ("/limits", project)


def test_project_alone_is_the_version_document() -> None:
    assert match("compute", "GET", f"/{PROJECT}/").operation.handler == "versions"


@pytest.mark.parametrize("service", ["network", "image", "placement"])
def test_other_services_have_no_project_in_the_path(service: str) -> None:
    with pytest.raises(Refused):
        match(service, "GET", f"/{PROJECT}/images")


def test_segment_that_is_no_project_is_unknown() -> None:
    with pytest.raises(Refused):
        match("compute", "GET", "/demo/servers")


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("/security_groups/x", "/security-groups/x"),
        ("/availability-zones", "/availability_zones"),
        ("/policies/x/tags", "/qos/policies/x/tags"),
        ("/policies/x", "/qos/policies/x"),
        ("/metering-labels", "/metering/metering_labels"),
        ("/logs", "/log/logs"),
        ("/rule-types", "/qos/rule-types"),
    ],
)
def test_neutron_spells_one_collection_in_several_ways(written: str, other: str) -> None:
    assert match("network", "GET", written).operation is match("network", "GET", other).operation


def test_only_neutron_takes_dashes_for_underscores() -> None:
    with pytest.raises(Refused):
        match("volume", "GET", "/group-types")


def test_trailing_slash_is_ignored_by_neutron() -> None:
    assert match("network", "GET", "/networks/").operation.path == "/networks"


@pytest.mark.parametrize(
    ("service", "rest"),
    [
        ("compute", "/servers/"),
        ("compute", "/servers/detail/"),
        ("volume", "/volumes/"),
        ("volume", "/0123456789abcdef0123456789abcdef/volumes/"),
        ("image", "/images/"),
        ("placement", "/resource_providers/"),
    ],
)
def test_trailing_slash_is_an_empty_id_elsewhere(service: str, rest: str) -> None:
    with pytest.raises(Unrouted):
        match(service, "GET", rest)


@pytest.mark.parametrize("rest", ["/", "/0123456789abcdef0123456789abcdef/"])
def test_trailing_slash_of_the_root_is_none(rest: str) -> None:
    assert match("compute", "GET", rest).operation.handler == "versions"


def test_format_after_a_literal_is_ignored() -> None:
    assert match("volume", "GET", "/volumes/detail.json").operation.path == "/volumes/detail"
    assert match("network", "GET", "/networks.json").operation.path == "/networks"


@pytest.mark.parametrize(("service", "rest"), [("compute", "/servers"), ("image", "/images")])
def test_a_format_is_no_part_of_paths_of_services_that_know_none(service: str, rest: str) -> None:
    with pytest.raises(Unrouted):
        match(service, "GET", f"{rest}.json")


@pytest.mark.parametrize(
    ("service", "rest", "path"),
    [
        ("compute", "//servers", "/servers"),
        ("compute", "/0123456789abcdef0123456789abcdef//servers/detail", "/servers/detail"),
        ("compute", "/servers//x/ips", "/servers/{server}/ips"),
        ("volume", "///volumes", "/volumes"),
    ],
)
def test_a_slash_behind_a_slash_is_nothing_to_routes(service: str, rest: str, path: str) -> None:
    assert match(service, "GET", rest).operation.path == path


def test_format_after_an_id_is_ignored() -> None:
    assert match("network", "GET", f"/ports/{PORT}.json").params == {"port": PORT}


def test_name_that_ends_like_a_format_stays_whole() -> None:
    assert match("compute", "PUT", "/servers/s/tags/ab.json").params["tag"] == "ab.json"
    assert match("compute", "GET", "/os-keypairs/ab.json").params == {"keypair": "ab.json"}


def test_parameters_are_decoded() -> None:
    assert match("compute", "GET", "/os-keypairs/my%20key").params == {"keypair": "my key"}


@pytest.mark.parametrize("segment", ["..", ".", "%2e%2e", "%2E"])
def test_traversal_is_no_id(segment: str) -> None:
    with pytest.raises(Refused) as refused:
        match("compute", "GET", f"/servers/{segment}")

    assert refused.value.status == 404


@pytest.mark.parametrize("rest", ["/nothing", "//nothing", "/servers//", "/servers/", "/x/y/z"])
def test_unknown_path_is_404(rest: str) -> None:
    with pytest.raises(Refused) as refused:
        match("compute", "GET", rest)

    assert refused.value.status == 404


def test_known_path_with_another_method_is_405() -> None:
    with pytest.raises(Refused) as refused:
        match("image", "PUT", "/images")

    assert refused.value.status == 405
    assert refused.value.headers == {"allow": "GET, POST"}


@pytest.mark.parametrize(("service", "path"), [("compute", "/servers"), ("volume", "/volumes")])
def test_another_method_is_404_where_the_services_router_says_so(service: str, path: str) -> None:
    with pytest.raises(Unrouted) as refused:
        match(service, "PATCH", path)

    assert refused.value.status == 404


def test_head_is_matched_as_get() -> None:
    assert match("image", "HEAD", "/images/x/file").operation.methods == ("GET",)


@pytest.mark.parametrize(("service", "path"), [("compute", "/servers"), ("volume", "/volumes")])
def test_there_is_no_head_where_the_services_router_has_none(service: str, path: str) -> None:
    with pytest.raises(Unrouted) as refused:
        match(service, "HEAD", path)

    assert refused.value.status == 404
    assert match(service, "HEAD", "/").operation.handler == "versions"


@pytest.mark.parametrize("service", TABLES)
def test_root_lists_versions(service: str) -> None:
    assert match(service, "GET", "/").operation.handler == "versions"
    assert match(service, "GET", "").operation.handler == "versions"


def test_two_rows_for_one_endpoint_are_refused() -> None:
    twice = (route("GET", "/servers/{server}"), route("GET", "/servers/{other}"))
    service = dataclasses.replace(service_named("compute"), operations=twice)

    with pytest.raises(ValueError, match="two rows for GET"):
        Table(service)


def test_every_row_is_found_by_its_own_path() -> None:
    for service in SERVICES:
        for row in service.operations:
            for method in row.methods:
                found = TABLES[service.name].match(method, row.path)
                assert found.operation is row


@given(
    st.sampled_from(sorted(TABLES)),
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", ""]),
    st.text(alphabet="/abc.0-_%{}servidtal", max_size=40),
)
def test_any_path_is_matched_or_refused(service: str, method: str, rest: str) -> None:
    status = 200
    try:
        match(service, method, rest)
    except Refused as refused:
        status = refused.status

    assert status in {200, 404, 405}
