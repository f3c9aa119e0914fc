"""Microversions of requests."""

from http import HTTPStatus

import pytest

from control_plane.model.errors import Refused
from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.processor.negotiate import negotiate, version_headers
from control_plane.services.catalog import service_named

COMPUTE, VOLUME, NETWORK = (service_named(name) for name in ("compute", "volume", "network"))
NOVA = MicroversionRange(Microversion(2, 1), Microversion(2, 96))
CINDER = MicroversionRange(Microversion(3, 0), Microversion(3, 71))
STANDARD, LEGACY = "openstack-api-version", "x-openstack-nova-api-version"


def test_without_a_header_the_lowest_version_holds() -> None:
    assert negotiate(COMPUTE, "v2.1", {}, NOVA).version == Microversion(2, 1)
    assert negotiate(VOLUME, "v3", {}, CINDER).version == Microversion(3, 0)
    assert negotiate(NETWORK, "v2.0", {STANDARD: "compute 2.90"}, None).version is None


def test_latest_becomes_the_highest_version_all_pods_share() -> None:
    found = negotiate(COMPUTE, "v2.1", {STANDARD: "compute latest"}, NOVA)

    assert found.version == Microversion(2, 96)
    assert found.put == {STANDARD: "compute 2.96"}


def test_pods_get_only_their_own_part_of_a_header_for_several_services() -> None:
    headers = {STANDARD: "volume 3.50, compute 2.90", LEGACY: "2.10"}

    assert negotiate(COMPUTE, "v2.1", headers, NOVA).put == {STANDARD: "compute 2.90"}
    assert negotiate(COMPUTE, "v2.1", headers, NOVA).remove == (LEGACY,)
    assert negotiate(VOLUME, "v3", headers, CINDER).put == {STANDARD: "volume 3.50"}


def test_the_older_header_of_nova_is_understood() -> None:
    found = negotiate(COMPUTE, "v2.1", {LEGACY: "2.42"}, NOVA)

    assert found.version == Microversion(2, 42)
    assert (found.put, found.remove) == ({STANDARD: "compute 2.42"}, (LEGACY,))


@pytest.mark.parametrize(
    ("service", "version", "header", "status"),
    [
        ("compute", "v2.1", "compute 2.97", HTTPStatus.NOT_ACCEPTABLE),
        ("compute", "v2.1", "compute 1.9", HTTPStatus.NOT_ACCEPTABLE),
        ("compute", "v2.1", "compute 2.x", HTTPStatus.BAD_REQUEST),
        ("compute", "v2.1", "compute LATEST", HTTPStatus.BAD_REQUEST),
        ("volume", "v3", "volume", HTTPStatus.BAD_REQUEST),
        ("compute", "v2.1", "compute 2.01", HTTPStatus.BAD_REQUEST),
        ("volume", "v3", "compute 2.90", HTTPStatus.BAD_REQUEST),
    ],
)
def test_bad_versions_are_refused(
    service: str, version: str, header: str, status: HTTPStatus
) -> None:
    offered = NOVA if service == "compute" else CINDER
    with pytest.raises(Refused) as refused:
        negotiate(service_named(service), version, {STANDARD: header}, offered)

    assert refused.value.status == status


@pytest.mark.parametrize("header", ["volume 3.50", "compute", "compute,2.90", ""])
def test_a_header_that_names_no_version_of_compute_means_nothing_to_nova(header: str) -> None:
    assert negotiate(COMPUTE, "v2.1", {STANDARD: header}, NOVA).version == Microversion(2, 1)


@pytest.mark.parametrize("header", ["compute\t2.90", "compute  2.90", "Compute 2.90 "])
def test_any_space_may_stand_between_a_service_and_its_version(header: str) -> None:
    assert negotiate(COMPUTE, "v2.1", {STANDARD: header}, NOVA).version == Microversion(2, 90)


def test_the_legacy_path_of_nova_ignores_versions() -> None:
    found = negotiate(COMPUTE, "v2", {STANDARD: "compute 9.9"}, NOVA)

    assert (found.version, found.remove) == (Microversion(2, 1), (STANDARD,))
    assert not found.told


def test_the_list_of_versions_of_cinder_alone_knows_microversions() -> None:
    found = negotiate(COMPUTE, "", {STANDARD: "compute 9.9"}, NOVA)

    assert (found.version, found.told) == (Microversion(2, 1), False)
    assert negotiate(VOLUME, "", {}, CINDER).told
    with pytest.raises(Refused):
        negotiate(VOLUME, "", {STANDARD: "volume 9.9"}, CINDER)


def test_answers_of_the_gateway_name_the_version_in_every_header_of_the_service() -> None:
    assert version_headers(COMPUTE, Microversion(2, 96)) == {
        STANDARD: "compute 2.96",
        LEGACY: "2.96",
        "vary": "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
    }
    assert version_headers(NETWORK, None) == {}
