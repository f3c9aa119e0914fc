"""Version documents: what clients read first, with links that lead back to the gateway."""

from typing import Any

import pytest

from tests.integration.cloud import Cloud
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant
from tests.openstack.client import send
from tests.openstack.pod import Pod

pytestmark = pytest.mark.openstack

_ROOTS = ["/compute/", "/volume/", "/image/", "/network/"]
_VERSIONS = ["/compute/v2.1/", "/volume/v3/", "/network/v2.0/"]


@pytest.mark.parametrize("path", _ROOTS)
def test_the_versions_are_told_without_a_token(gateway: Gateway, path: str) -> None:
    answer = send("GET", gateway.url + path)

    assert answer.status in (200, 300)
    assert answer.json["versions"]


@pytest.mark.parametrize("path", [*_ROOTS, "/compute/v2.1/", "/volume/v3/"])
def test_links_of_a_version_document_lead_to_the_gateway(
    tenant: Tenant, gateway: Gateway, path: str
) -> None:
    links = _links(tenant.cloud.client.call("GET", gateway.url + path).json)

    prefix = gateway.url + path[: path.index("/", 1)]
    own = [link["href"] for link in links if link["rel"] == "self"]
    assert own
    assert [href for href in own if not href.startswith(prefix)] == []


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/compute/", "nova"),
        ("/volume/", "cinder"),
        ("/image/", "glance"),
        ("/network/", "neutron"),
    ],
)
def test_the_current_version_is_answered_as_by_a_pod(
    tenant: Tenant, gateway: Gateway, pods: list[Pod], path: str, service: str
) -> None:
    answers = []
    for root in (gateway.url + path, pods[0].url(service) + "/"):
        document = send("GET", root).json
        [current] = [entry for entry in document["versions"] if entry["status"] == "CURRENT"]
        [link] = [link["href"] for link in current["links"] if link["rel"] == "self"]
        answers.append(tenant.cloud.client.call("GET", link))

    # Glance, of all, answers 404 to the link of its own current version.
    assert answers[0].status == answers[1].status


@pytest.mark.parametrize("path", [*_ROOTS, *_VERSIONS])
def test_no_document_tells_of_pods(
    tenant: Tenant, gateway: Gateway, pods: list[Pod], path: str
) -> None:
    answer = tenant.cloud.client.call("GET", gateway.url + path)

    secrets = [pod.name for pod in pods]
    secrets += [
        f":{pod.port(service)}"
        for pod in pods
        for service in ("nova", "cinder", "glance", "neutron")
    ]
    assert not [secret for secret in secrets if secret in answer.text + str(answer.headers)]


@pytest.mark.parametrize(
    ("path", "service", "root"),
    [("/compute/v2.1/", "nova", "/v2.1/"), ("/volume/v3/", "cinder", "/v3/")],
)
def test_the_microversions_are_those_all_pods_have(
    tenant: Tenant, gateway: Gateway, pods: list[Pod], path: str, service: str, root: str
) -> None:
    client = tenant.cloud.client

    shown = _range(client.ask("GET", gateway.url + path))

    # Both pods run the same release.
    assert shown == _range(client.ask("GET", pods[0].url(service) + root))


@pytest.mark.parametrize(
    ("service", "path"),
    [("compute", "/extensions"), ("network", "/extensions"), ("image", "/schemas/images")],
)
def test_documents_about_a_service_are_those_of_the_pods(
    tenant: Tenant, zones: tuple[str, str], service: str, path: str
) -> None:
    def shape(cloud: Cloud) -> Any:
        found = cloud.read(service, path)
        extensions = found.get("extensions")
        return {entry["alias"] for entry in extensions} if extensions else found

    assert shape(tenant.cloud) == shape(tenant.direct[zones[0]])


@pytest.mark.parametrize(
    "path", ["/v2.1/servers", "/v2/images", "/v2.0/networks", "/v3/{project}/volumes"]
)
def test_paths_without_the_services_prefix_work(
    tenant: Tenant, gateway: Gateway, path: str
) -> None:
    url = gateway.url + path.replace("{project}", tenant.cloud.client.project_id)

    answer = tenant.cloud.client.call("GET", url)

    assert answer.status == 200


def _links(document: Any) -> list[dict[str, str]]:
    if isinstance(document, list):
        return [link for entry in document for link in _links(entry)]
    if not isinstance(document, dict):
        return []
    own: list[dict[str, str]] = document.get("links", [])
    return own + [link for value in document.values() for link in _links(value) if value is not own]


def _range(document: Any) -> tuple[str, str]:
    entries = document.get("versions") or [document["version"]]
    [current] = [entry for entry in entries if entry["status"] == "CURRENT"]
    return current.get("min_version", ""), current["version"]
