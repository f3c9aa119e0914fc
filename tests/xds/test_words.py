"""Shows as the owner cache rewrites them: as the processor would, whatever users name keys."""

import json
from typing import Any

import pytest

from control_plane.handlers.translate import Translation
from control_plane.processor.learn import describe
from control_plane.services.catalog import service_named
from tests.xds.lua import Script
from tests.xds.samples import server, servers, volume
from tests.xds.test_lists import POD, URL, view

COMPUTE, VOLUME = service_named("compute"), service_named("volume")


class Shown:
    """What becomes of a pod's answer to a show."""

    def __init__(self, path: str = "") -> None:
        self.view = view(path)
        self.path = path
        self.script = Script()

    def rewritten(self, name: str, item: dict[str, Any], gateway: str = "gateway:8080") -> Any:
        service = COMPUTE if name == "server" else VOLUME
        below = "/v2.1/servers/a" if name == "server" else "/v3/volumes/a"
        lesson = f"|s|{describe(self.view, POD, service)}"
        said = f"{lesson} GET http {gateway} Pod1/{service.name} {self.path}{below}"
        document = json.dumps({name: item}).encode()
        body, headers = self.script.answer([document], proxy_connection=said)
        if body != document:
            assert headers["content-length"] == str(len(body))
        return json.loads(body)

    def expected(self, name: str, item: dict[str, Any], gateway: str = "gateway:8080") -> Any:
        service = COMPUTE if name == "server" else VOLUME
        translation = Translation(self.view, POD, f"http://{gateway}", gateway)
        document = json.dumps({name: item}).encode()
        return json.loads(translation.body(document, service.resources[name]))


@pytest.mark.parametrize("path", ["", "/nova"])
@pytest.mark.parametrize("name", ["server", "volume"])
def test_shows_are_what_the_processor_makes_of_them(name: str, path: str) -> None:
    shown = Shown(path)
    roots = [f"{URL}{path}", "http://gateway:8080/nova", "http://10.0.0.1", "http://other"]
    for root in roots:
        for item in (servers if name == "server" else volume)("a", root):
            assert shown.rewritten(name, item) == shown.expected(name, item)


def test_links_lead_to_the_gateway_by_whatever_name_a_client_calls_it() -> None:
    shown = Shown()
    item = server("a", URL)
    for number in (*range(40), 3):
        gateway = f"name{number}.example.org"
        found = shown.rewritten("server", item, gateway)
        assert found == shown.expected("server", item, gateway)
        assert found["server"]["links"][0]["href"].startswith(f"http://{gateway}/compute/")
