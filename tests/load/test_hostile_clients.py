"""Clients that forge, cut and bend what they send: nothing of it decides, stays or goes on."""

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench.gateway import Gateway, ask
from tests.load.entrance import entrance
from tests.load.ids import id_of
from tests.load.odd import ODD, Odd
from tests.load.pods import StandIn
from tests.load.product import product

pytestmark = pytest.mark.envoy

RECORDED = 500
SERVERS = "/compute/v2.1/servers"
#: Known to Envoy once asked for; and how many others are in the database only.
KNOWN = id_of(ODD, 1)
INTERNAL = ("cluster", "known", "seen", "lane", "learn", "asked", "cache", "missing", "pod")
ELSEWHERE = "Pod0/compute"
POISON = f"{KNOWN}|as|{ELSEWHERE}|/v2.1|%22az0%22|%22nova%22||"

Running = tuple[Gateway, Odd]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back over the wire."""

    status: int
    head: str
    body: bytes


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("clients")
    odd = Odd()
    pods = [StandIn(folder, number) for number in (0, 1)]
    with product(folder, pods, RECORDED, [odd]) as (gateway, _):
        ask(f"{gateway.place.url}{SERVERS}/{KNOWN}/ips", "user0")
        yield gateway, odd


def send(
    gateway: Gateway,
    path: str,
    lines: Sequence[str] = (),
    method: str = "GET",
    body: bytes = b"",
    token: str = "user0",
    port: int = 0,
) -> Heard:
    """Send octets as they are and read one answer; to the gateway, or to what leads to it."""
    port = port or gateway.place.port
    own = [f"host: localhost:{port}", f"x-auth-token: {token}", "connection: close"]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *own, *lines, "", ""])
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        # Who is refused is so before the last octet, and may be cut off then.
        sender = threading.Thread(
            target=_send_all, args=(connection, head.encode("latin-1") + body), daemon=True
        )
        sender.start()
        heard = b""
        with suppress(ConnectionError):
            while piece := connection.recv(1 << 16):
                heard += piece
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join()
    answer, _, content = heard.partition(b"\r\n\r\n")
    text = answer.decode("latin-1")
    return Heard(int(text.split(" ")[1]), text.lower(), content)


def _send_all(connection: socket.socket, octets: bytes) -> None:
    with suppress(OSError):
        connection.sendall(octets)


def every(lines: Sequence[str]) -> list[str]:
    """Write lines for every header of ours; a line that names none once."""
    return list(dict.fromkeys(line.replace("NAME", name) for name in INTERNAL for line in lines))


SPELLINGS = {
    "as they are": [f"x-trio2o-NAME: {ELSEWHERE}", f"x-trio2o-learn: {POISON}"],
    "in capitals": [f"X-TRIO2O-NAME: {ELSEWHERE}"],
    "twice": [f"x-trio2o-NAME: {ELSEWHERE}", "x-trio2o-NAME: Pod1/compute"],
    "with underscores": [f"x_trio2o_NAME: {ELSEWHERE}", f"x-trio2o_NAME: {ELSEWHERE}"],
    "empty": ["x-trio2o-NAME:"],
    "as the connection's": [
        "connection: x-trio2o-cluster, x-trio2o-known, x-trio2o-lane",
        f"x-trio2o-NAME: {ELSEWHERE}",
    ],
    "on folded lines": [f"x-odd: a\r\n x-trio2o-NAME: {ELSEWHERE}"],
    "behind a bare line feed": [f"x-odd: a\nx-trio2o-NAME: {ELSEWHERE}"],
    "of Envoy": [
        *("x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-retry-on: 5xx", "x-envoy-max-retries: 9"),
        *("x-envoy-original-path: /poison", "x-envoy-original-host: poison"),
        *("x-envoy-internal: true", "x-envoy-decorator-operation: poison"),
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_only_envoy_may_say_counts_for_nothing_from_a_client(
    running: Running, spelling: str
) -> None:
    gateway, odd = running
    odd.asked.clear()
    lines = every(SPELLINGS[spelling])
    # One that Envoy knows, whose answer passes or is rewritten, and one in the database.
    fresh = id_of(ODD, 100 + list(SPELLINGS).index(spelling))
    paths = [f"{SERVERS}/{KNOWN}/ips", f"{SERVERS}/{KNOWN}", f"{SERVERS}/{fresh}"]

    answers = [send(gateway, path, lines) for path in paths]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert "x-trio2o" not in "".join(answer.head for answer in answers)
    assert len(odd.asked) == 3
    for asked in odd.asked:
        names = [line.partition(":")[0].lower() for line in asked.head.split("\n")[1:]]
        assert [name for name in names if "trio2o" in name or name.startswith("x-envoy")] == []


def test_nothing_that_clients_forged_was_kept(running: Running) -> None:
    gateway, odd = running
    odd.asked.clear()

    send(gateway, f"{SERVERS}/{KNOWN}")
    with sqlite3.connect(gateway.database) as database:
        [(owner,)] = database.execute("SELECT pod FROM owners WHERE id = ?", (KNOWN,))

    assert owner == odd.name
    assert len(odd.asked) == 1


def test_headers_behind_a_body_are_not_headers(running: Running) -> None:
    gateway, odd = running
    odd.asked.clear()
    trailers = "".join(f"{line}\r\n" for line in every([f"x-trio2o-NAME: {ELSEWHERE}"]))
    pieces = f'14\r\n{{"os-start":   null}}\r\n0\r\n{trailers}\r\n'

    heard = send(
        gateway,
        f"{SERVERS}/{KNOWN}/action",
        ["content-type: application/json", "transfer-encoding: chunked", "trailer: x-trio2o-known"],
        "POST",
        pieces.encode(),
    )

    assert heard.status == 200
    [asked] = odd.asked
    assert (asked.method, asked.body) == ("POST", b'{"os-start":   null}')
    assert ELSEWHERE not in asked.head


@pytest.mark.parametrize(
    "path",
    [
        f"{SERVERS}/{KNOWN}/../{id_of(0, 1)}",
        f"{SERVERS}/{KNOWN}/%2e%2e/{id_of(0, 1)}",
        f"{SERVERS}/%2e%2e",
        f"{SERVERS}/..",
        f"{SERVERS}/.%2E",
        f"{SERVERS}/%2e",
        f"{SERVERS}/%2e%2e/servers/{KNOWN}",
        f"{SERVERS}/{KNOWN}/./ips",
        f"{SERVERS}/detail/../{KNOWN}",
        f"{SERVERS}/..;/{KNOWN}",
        f"{SERVERS}\\{KNOWN}",
        f"//compute/v2.1/servers/{KNOWN}",
        f"/compute/v2.1/../v2.1/servers/{KNOWN}",
        f"/compute/v2.1/SERVERS/{KNOWN}",
        f"{SERVERS}/{'/'.join('a' * 20_000)}",
    ],
)
def test_a_bent_path_is_no_path(running: Running, path: str) -> None:
    gateway, odd = running
    odd.asked.clear()

    assert send(gateway, path).status == 404
    assert odd.asked == []


@pytest.mark.parametrize(
    ("written", "id"),
    [
        (f"%30{KNOWN[1:]}", KNOWN),
        (KNOWN.replace("-", "%2D"), KNOWN),
        (f"{KNOWN}?x=/../{id_of(0, 1)}", KNOWN),
        # A slash behind a slash is nothing to Nova's router.
        (f"/{KNOWN}", KNOWN),
        (f"{KNOWN}//ips", KNOWN),
    ],
)
def test_an_id_is_the_same_however_it_is_written(running: Running, written: str, id: str) -> None:  # noqa: A002
    gateway, odd = running
    odd.asked.clear()

    heard = send(gateway, f"{SERVERS}/{written}")

    assert heard.status == 200
    # Its owner is known: no other pod is asked, and this one once, in the client's words.
    assert [asked.path for asked in odd.asked] == [f"/v2.1/servers/{written}"]


@pytest.mark.parametrize(
    "lines",
    [
        ["content-length: 2", "transfer-encoding: chunked"],
        ["content-length: 2", "content-length: 3"],
        ["content-length: -2"],
        ["content-length: +2"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: chunked", "transfer-encoding: identity"],
        ["x-trio2o-known : Pod0/compute"],
        ["x-odd: a\0b"],
        [f"x-odd-{number}: 1" for number in range(200)],
        [f"x-odd: {'x' * 200_000}"],
    ],
    ids=range(10),
)
def test_what_could_be_read_in_two_ways_or_is_too_much_is_not_read(
    running: Running, lines: list[str]
) -> None:
    gateway, odd = running
    odd.asked.clear()

    heard = send(gateway, f"{SERVERS}/{KNOWN}/action", lines, "POST", b"{}\r\n\r\n")

    assert heard.status in {400, 431, 501}
    assert odd.asked == []


@pytest.mark.parametrize(
    "path", [SERVERS, "/compute/v2.1/os-keypairs", f"{SERVERS}/{KNOWN}/action"]
)
def test_a_body_larger_than_envoy_holds_is_refused_at_once(running: Running, path: str) -> None:
    gateway, _ = running
    lines = ["content-type: application/json", f"content-length: {5 << 20}"]

    # The client waits to be told to send it.
    heard = send(gateway, path, lines, "POST")

    assert heard.status == 413
    assert json.loads(heard.body)["overLimit"]["code"] == 413


def in_pieces(size: int) -> bytes:
    """Write a JSON document of about so many octets, without telling how many."""
    text = b'{"server": {"name": "' + b"x" * size + b'"}}'
    parts = [text[at : at + 60_000] for at in range(0, len(text), 60_000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.fixture(scope="module", params=[False, True], ids=["HTTP/1.1", "HTTP/2"])
def way(
    request: pytest.FixtureRequest, running: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Lead to the gateway."""
    folder: Path = tmp_path_factory.mktemp("way")
    with entrance(folder, running[0].place.port, None, http2=request.param) as found:
        yield found.port


UNMEASURED = ["content-type: application/json", "transfer-encoding: chunked"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", SERVERS),
        ("POST", "/compute/v2.1/os-keypairs"),
        ("POST", f"{SERVERS}/{KNOWN}/action"),
        ("PUT", f"{SERVERS}/{KNOWN}"),
    ],
)
@pytest.mark.parametrize("size", [2 << 20, 20 << 20], ids=["2 MiB", "20 MiB"])
def test_a_body_that_does_not_say_how_large_it_is_is_refused_where_it_is_too_large(
    running: Running, way: int, method: str, path: str, size: int
) -> None:
    gateway, odd = running
    odd.asked.clear()

    heard = send(gateway, path, UNMEASURED, method, in_pieces(size), port=way)

    assert heard.status == 413
    assert json.loads(heard.body)["overLimit"]["code"] == 413
    assert odd.asked == []


@pytest.mark.parametrize("size", [10, 100_000, 1_000_000])
def test_a_body_that_does_not_say_how_large_it_is_reaches_its_pod(
    running: Running, way: int, size: int
) -> None:
    gateway, odd = running
    odd.asked.clear()
    path = f"{SERVERS}/{KNOWN}"

    heard = [send(gateway, path, UNMEASURED, "PUT", in_pieces(size), port=way) for _ in range(5)]

    assert [answer.status for answer in heard] == [200] * 5
    names = [json.loads(asked.body)["server"]["name"] for asked in odd.asked]
    assert names == ["x" * size] * 5


def test_who_is_answered_before_the_body_has_ended_is_answered(running: Running, way: int) -> None:
    gateway, odd = running
    odd.asked.clear()

    heard = [
        send(gateway, path, UNMEASURED, "POST", in_pieces(20 << 20), token=token, port=way)
        for path, token in (("/compute/v2.1/nothing", "user0"), (SERVERS, ""))
    ]

    assert [answer.status for answer in heard] == [404, 401]
    assert odd.asked == []


def test_an_administrator_who_asks_is_told_and_nobody_else(running: Running) -> None:
    gateway, odd = running

    user, told = (
        send(gateway, f"{SERVERS}/{KNOWN}", ["x-trio2o-explain: 1"], token=token)
        for token in ("user0", "admin")
    )

    assert "x-trio2o" not in user.head
    assert f"x-trio2o-pod: {odd.name.lower()}" in told.head
