"""Lists as the owner cache rewrites them: as the processor would, wherever they are cut."""

import json
import random
from typing import Any
from urllib.parse import parse_qsl

import pytest

from control_plane.handlers.translate import Translation
from control_plane.lists.answer import Body, next_query, opening
from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.processor.learn import describe
from control_plane.services.catalog import SERVICES, service_named
from control_plane.services.service import LinkForm
from tests.xds.lua import Script
from tests.xds.samples import listed_servers, server, snapshot, volume

POD = Pod("1", "Pod1", "az1", "inner1")
URL = "http://10.0.0.1:8774"
GATEWAY = "gateway:8080"
_PATHS = {"server": "/v2.1/servers/detail", "volume": "/v3/volumes/detail"}
_PATHS["snapshot"] = "/v3/0a1b/snapshots"
_PATHS["backup"] = "/v3/backups"


def view(path: str = "") -> View:
    endpoints = {
        service.name: Endpoint("http", "10.0.0.1", 8774 + 2 * index, path)
        for index, service in enumerate(SERVICES)
    }
    return View(Fleet.of([POD]), {"Pod1": PodFacts(endpoints)})


class List:
    """A list of a pod on its way to a client."""

    def __init__(self, kind: str, items: list[Any], path: str = "", **more: Any) -> None:
        self.service = service_named("compute" if kind == "server" else "volume")
        self.resource = self.service.resources[kind]
        self.items = items
        self.document = json.dumps({self.resource.plural: items, **more}).encode()
        self.view = view(path)
        self.path = path
        self.script = Script()

    def rewritten(
        self,
        pieces: list[bytes],
        query: str = "",
        *,
        bare: bool = False,
        minor: str = "",
        **headers: str,
    ) -> tuple[bytes, dict[str, str]]:
        cluster = f"Pod1/{self.service.name}"
        lesson = f"|s|{describe(self.view, POD, self.service)}"
        asked = f"GET http {GATEWAY} {cluster} {self.path}{_PATHS[self.resource.name]}{query}"
        said = f"{lesson} {asked}"
        headers["proxy_connection"] = said
        return self.script.answer(pieces, bare=bare, minor=minor, **headers)

    def page(self, query: str, *, bare: bool) -> bytes:
        """Write the page as the processor does, with a link to the next one."""
        translation = Translation(self.view, POD, f"http://{GATEWAY}", GATEWAY)
        items = [translation.item(json.dumps(item).encode(), self.resource) for item in self.items]
        base = "" if bare else self.service.prefix
        following = next_query(parse_qsl(query, keep_blank_values=True), self.items[-1]["id"])
        url = f"http://{GATEWAY}{base}{_PATHS[self.resource.name]}?{following}"
        body = Body()
        pieces = [opening(self.resource, [], more=True), *body.fill(items)]
        pieces.append(body.end(self.resource, LinkForm.LINKS, url, "", None))
        return b"".join(pieces)

    @property
    def expected(self) -> list[Any]:
        """What the processor makes of the items."""
        translation = Translation(self.view, POD, f"http://{GATEWAY}", GATEWAY)
        return [
            json.loads(translation.item(json.dumps(item).encode(), self.resource))
            for item in self.items
        ]


def cut(document: bytes, size: int) -> list[bytes]:
    return [document[at : at + size] for at in range(0, len(document), size)] + [b""]


def listing(kind: str, path: str = "") -> List:
    items = {
        "server": lambda: listed_servers(URL),
        "volume": lambda: list(volume("v", "http://10.0.0.1:8776")),
        "snapshot": lambda: list(snapshot("s", f"see http://{GATEWAY}/nova/x")),
    }[kind]()
    return List(kind, items, path)


@pytest.mark.parametrize("kind", ["server", "volume", "snapshot"])
@pytest.mark.parametrize("size", [1 << 20, 5000, 333, 61])
@pytest.mark.parametrize("path", ["", "/nova"])
def test_lists_are_what_the_processor_makes_of_them(kind: str, size: int, path: str) -> None:
    """Over awkward items, in pieces of any size."""
    made = listing(kind, path)

    body, headers = made.rewritten(cut(made.document, size))

    assert json.loads(body)[made.resource.plural] == made.expected
    assert not [name for name in headers if name.startswith("x-trio2o")]


@pytest.mark.parametrize("said", ["", "compute 2.100", "compute 2.90", "an odd one"])
@pytest.mark.parametrize("asked", ["", "100", "90", "0"])
def test_the_version_tells_which_objects_of_users_there_may_be(said: str, asked: str) -> None:
    """That of the answer; where it has none, the one that was asked for."""
    made = List("server", [{"id": "a", "scheduler_hints": {"OS-EXT-AZ:availability_zone": "nova"}}])
    headers = {"openstack_api_version": said} if said else {}

    body, _ = made.rewritten([made.document, b""], minor=asked, **headers)

    [found] = json.loads(body)["servers"]
    sought = said == "compute 2.100" or (said != "compute 2.90" and asked in ("", "100"))
    # A pod that shows what its version does not have is no concern.
    zone = "nova" if sought else "az1"
    assert found["scheduler_hints"] == {"OS-EXT-AZ:availability_zone": zone}


@pytest.mark.parametrize("kind", ["server", "volume"])
def test_a_list_may_be_cut_anywhere(kind: str) -> None:
    made = List(kind, listing(kind).items[:3])
    differing = []

    for at in range(1, len(made.document)):
        body, _ = made.rewritten([made.document[:at], made.document[at:], b""])
        if json.loads(body)[made.resource.plural] != made.expected:
            differing.append(at)

    assert not differing


def test_a_list_may_be_cut_often() -> None:
    made = List("server", listing("server").items[:40])
    chance = random.Random(3)

    for _ in range(100):
        at, pieces = 0, []
        while at < len(made.document):
            size = chance.choice((1, 2, 7, 40, 300, 4000))
            pieces.append(made.document[at : at + size])
            at += size
        body, _ = made.rewritten(pieces, content_length=str(len(made.document)))
        assert json.loads(body)[made.resource.plural] == made.expected


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", ":  ")])
def test_the_form_of_a_list_may_be_another(separators: tuple[str, str]) -> None:
    made = listing("server")
    made.document = json.dumps({"servers": made.items}, separators=separators).encode()

    body, _ = made.rewritten(cut(made.document, 1000))

    assert json.loads(body)["servers"] == made.expected


@pytest.mark.parametrize("kind", ["server", "volume", "snapshot", "backup"])
@pytest.mark.parametrize("bare", [False, True])
def test_pages_are_those_of_the_processor(kind: str, bare: bool) -> None:  # noqa: FBT001
    """Byte by byte, with any query that is sent to a pod, in pieces of any size."""
    chance = random.Random(5)
    known = "00000000-0000-4000-8000-00000000000a"
    for _ in range(60):
        query = _query(chance)
        port, last = (8774, "servers") if kind == "server" else (8776, f"0a1b/{kind}s")
        rest = "&".join(part for part in query.split("&") if not part.startswith("marker="))
        href = f"http://10.0.0.1:{port}/v3/{last}/detail?{rest}&marker={known}"
        item = {"id": known, "metadata": {f"{kind}s_links": "x"}, "description": href}
        made = List(kind, [{**item, "id": "b"}, item], chance.choice(("", "/nova")))
        link = {"rel": "next", "href": href}
        items = [link] if chance.random() < 0.8 else [dict(reversed(link.items()))]
        made.document = json.dumps(
            {f"{kind}s": made.items, f"{kind}s_links": items}
        ).encode() + chance.choice((b"", b"\n"))
        pieces = cut(made.document, chance.choice((1 << 20, 100, 37, 9)))
        length = {"content_length": str(len(made.document))} if chance.random() < 0.5 else {}

        body, _ = made.rewritten(pieces, f"?{query}", bare=bare, **length)

        assert body == made.page(query, bare=bare)


def _query(chance: random.Random) -> str:
    names = ["limit", *chance.choices(("name", "status", "marker"), k=chance.randrange(4))]
    chance.shuffle(names)
    values = ("", "a", "A-b_c.d~9", "00000000-0000-4000-8000-000000000001")
    return "&".join(
        f"{name}={chance.randrange(1, 2000) if name == 'limit' else chance.choice(values)}"
        for name in names
    )


def test_a_page_that_nothing_follows_has_no_link() -> None:
    made = List("server", [server("x", URL)])

    body, _ = made.rewritten([made.document, b""], "?limit=2")

    assert json.loads(body) == {"servers": made.expected}


def test_the_next_page_is_here() -> None:
    link = {"rel": "next", "href": f"{URL}/v2.1/servers/detail?limit=1&marker=x"}
    made = List("server", [server("x", URL)], servers_links=[link])

    body, _ = made.rewritten([made.document, b""])

    [shown] = json.loads(body)["servers_links"]
    assert shown["href"] == f"http://{GATEWAY}/compute/v2.1/servers/detail?limit=1&marker=x"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"servers": []}',
        b'{"servers": [{"hostId": ',
        b'{"servers": [{"hostId": "abc',
        b'{"servers": [{"scheduler_hints": {"a": "b"',
        b'{"servers": [{"a": "b", "metadata": {"hostId": "b", "hostId": "',
        b"\xff\xfe" * 100,
    ],
)
def test_what_is_no_list_passes_as_it_is(document: bytes) -> None:
    made = List("server", [])

    for pieces in ([document, b""], [document[:9], document[9:], b""], [document]):
        assert made.rewritten(pieces)[0] == document


def test_a_list_that_ends_with_its_length_is_whole_before_the_end() -> None:
    """Trailers may follow, after which nothing can be said any more."""
    made = List("server", [server("x", URL)])

    body, headers = made.rewritten(
        [made.document[:100], made.document[100:]], content_length=str(len(made.document))
    )

    assert json.loads(body)["servers"] == made.expected
    assert "content-length" not in headers


def test_a_refusal_is_said_in_the_users_words() -> None:
    made = List("server", [])
    text = f"Zone inner1 of Pod1 is busy, see {URL}/v2.1/servers"
    document = json.dumps({"badRequest": {"message": text}}).encode()
    translation = Translation(made.view, POD, f"http://{GATEWAY}", GATEWAY)

    body, _ = made.rewritten([document], **{":status": "400"})

    assert body == translation.fault(document)


def test_a_list_that_a_pod_has_packed_is_no_list() -> None:
    found = List("server", [server("x", URL)])

    body, headers = found.rewritten([b"\x1f\x8b packed"], content_encoding="gzip")

    assert headers[":status"] == "502"
    assert "content-encoding" not in headers
    assert json.loads(body)["computeFault"]["code"] == 502
    assert headers["content-length"] == str(len(body))
