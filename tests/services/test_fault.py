import json

import pytest

from control_plane.services.catalog import service_named
from control_plane.services.fault import render, unrouted, unserviced

_TYPES = {"compute": "application/json; charset=UTF-8", "volume": "application/json"}


@pytest.mark.parametrize("service", ["compute", "volume"])
@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "badRequest"),
        (403, "forbidden"),
        (404, "itemNotFound"),
        (405, "badMethod"),
        (409, "conflictingRequest"),
        (413, "overLimit"),
        (415, "badMediaType"),
        (429, "overLimit"),
        (501, "notImplemented"),
        (503, "serviceUnavailable"),
        (406, "computeFault"),
        (500, "computeFault"),
    ],
)
def test_nova_and_cinder_name_a_fault_by_its_status(service: str, status: int, name: str) -> None:
    body, content_type = render(service_named(service), status, "so it is")

    assert json.loads(body) == {name: {"code": status, "message": "so it is"}}
    assert content_type == _TYPES[service]


@pytest.mark.parametrize("service", ["compute", "volume", "network", "placement"])
def test_who_is_not_known_is_told_so_in_the_words_of_keystonemiddleware(service: str) -> None:
    body, content_type = render(service_named(service), 401, "who are you")

    assert json.loads(body) == {
        "error": {"code": 401, "title": "Unauthorized", "message": "who are you"}
    }
    assert content_type == "application/json"


@pytest.mark.parametrize("status", [413, 429])
def test_over_limit_says_when_to_come_back(status: int) -> None:
    body, _ = render(service_named("compute"), status, "slow", {"retry-after": "7"})

    assert json.loads(body)["overLimit"]["retryAfter"] == "7"


def test_other_faults_say_nothing_of_coming_back() -> None:
    body, _ = render(service_named("compute"), 503, "later", {"retry-after": "7"})

    assert "retryAfter" not in json.loads(body)["serviceUnavailable"]


def test_neutron_wraps_type_message_detail() -> None:
    body, content_type = render(service_named("network"), 404, "no port")

    assert json.loads(body) == {
        "NeutronError": {"type": "HTTPNotFound", "message": "no port", "detail": ""}
    }
    assert content_type == "application/json"


def test_glance_writes_a_page_with_the_message_escaped() -> None:
    body, content_type = render(service_named("image"), 404, "no <b> image")

    assert content_type == "text/html; charset=UTF-8"
    assert b"<title>404 Not Found</title>" in body
    assert b"no &lt;b&gt; image" in body


def test_placement_lists_errors() -> None:
    body, _ = render(service_named("placement"), 400, "bad")

    assert json.loads(body) == {
        "errors": [{"status": 400, "title": "Bad Request", "detail": "bad"}]
    }


def test_path_of_no_service_is_answered_as_keystone_would() -> None:
    body, content_type = unserviced(404, "nothing here")

    assert json.loads(body) == {
        "error": {"code": 404, "title": "Not Found", "message": "nothing here"}
    }
    assert content_type == "application/json"


def test_status_nobody_knows_is_rendered() -> None:
    body, _ = render(service_named("network"), 599, "odd")

    assert json.loads(body)["NeutronError"]["type"] == "HTTPError"


@pytest.mark.parametrize(
    ("service", "content_type"),
    [
        ("compute", "text/html; charset=UTF-8"),
        ("volume", "text/html; charset=UTF-8"),
        ("network", "application/json"),
        ("placement", "application/json"),
    ],
)
def test_the_routers_of_nova_and_cinder_write_pages(service: str, content_type: str) -> None:
    _, written = unrouted(service_named(service), 404, "The resource could not be found.")

    assert written == content_type


@pytest.mark.parametrize("service", ["image", "compute"])
@pytest.mark.parametrize(
    ("accept", "written"),
    [
        ("*/*", "text/html; charset=UTF-8"),
        ("text/html,application/json", "text/html; charset=UTF-8"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("application/*", "application/json"),
        ("application/xml", "text/plain; charset=UTF-8"),
        ("text/html;q=x", "text/plain; charset=UTF-8"),
        ("", "text/plain; charset=UTF-8"),
    ],
)
def test_what_webob_writes_is_what_the_client_prefers(
    service: str, accept: str, written: str
) -> None:
    body, content_type = unrouted(service_named(service), 404, "no such thing", accept)

    assert content_type == written
    assert b"no such thing" in body
    assert b"404 Not Found" in body
