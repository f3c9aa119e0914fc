import pytest

from control_plane.model.errors import Refused
from control_plane.services.catalog import SERVICES, locate, service_named

PROJECT = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "service", "version", "rest", "base"),
    [
        ("/compute/v2.1/servers/x", "compute", "v2.1", "/servers/x", "/compute"),
        ("/compute/v2/servers", "compute", "v2", "/servers", "/compute"),
        ("/volume/v3/p/volumes", "volume", "v3", "/p/volumes", "/volume"),
        ("/network/v2.0/ports", "network", "v2.0", "/ports", "/network"),
        ("/image/v2/images", "image", "v2", "/images", "/image"),
        ("/placement/traits", "placement", "", "/traits", "/placement"),
        ("/compute/v2.1", "compute", "v2.1", "/", "/compute"),
        ("/compute/v2.1/", "compute", "v2.1", "/", "/compute"),
        ("/compute", "compute", "", "/", "/compute"),
        ("/network/", "network", "", "/", "/network"),
        ("/placement", "placement", "", "/", "/placement"),
    ],
)
def test_prefixed_path_is_located(
    path: str, service: str, version: str, rest: str, base: str
) -> None:
    found = locate(path)

    assert (found.service.name, found.version, found.rest, found.base) == (
        service,
        version,
        rest,
        base,
    )


@pytest.mark.parametrize(
    ("path", "service", "version", "rest"),
    [
        ("/v2.1/servers", "compute", "v2.1", "/servers"),
        ("/v3/volumes", "volume", "v3", "/volumes"),
        ("/v2.0/networks", "network", "v2.0", "/networks"),
        ("/v2/images/x/file", "image", "v2", "/images/x/file"),
        ("/v2/schemas/image", "image", "v2", "/schemas/image"),
        ("/v2/metadefs/namespaces", "image", "v2", "/metadefs/namespaces"),
        ("/v2/tasks", "image", "v2", "/tasks"),
        ("/v2/stores/s/i", "image", "v2", "/stores/s/i"),
        ("/v2/info/import", "image", "v2", "/info/import"),
        ("/v2/cache", "image", "v2", "/cache"),
        ("/v2/servers", "compute", "v2", "/servers"),
        (f"/v2/{PROJECT}/images", "compute", "v2", f"/{PROJECT}/images"),
        ("/v2/", "compute", "v2", "/"),
        ("/servers/x", "compute", "", "/servers/x"),
        ("/flavors/x", "compute", "", "/flavors/x"),
        ("/os-keypairs/k", "compute", "", "/os-keypairs/k"),
        (f"/{PROJECT}/servers/x", "compute", "", f"/{PROJECT}/servers/x"),
        (f"/{PROJECT}/volumes/x", "volume", "", f"/{PROJECT}/volumes/x"),
    ],
)
def test_bare_path_is_located(path: str, service: str, version: str, rest: str) -> None:
    found = locate(path)

    assert (found.service.name, found.version, found.rest, found.base) == (
        service,
        version,
        rest,
        "",
    )


@pytest.mark.parametrize(
    "path",
    ["/", "", "servers", "/v1/servers", "/computes/v2.1", "/v2.10/networks", f"/{PROJECT}/x"],
)
def test_path_of_no_service_is_refused(path: str) -> None:
    with pytest.raises(Refused) as refused:
        locate(path)

    assert refused.value.status == 404


def test_service_is_found_by_name() -> None:
    assert [service_named(service.name) for service in SERVICES] == list(SERVICES)


def test_bare_paths_of_two_services_differ() -> None:
    bare = [path for service in SERVICES for path in service.bare]

    assert len(bare) == len(set(bare))
