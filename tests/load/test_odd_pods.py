"""Pods that do not behave: what others have is served as before, and their own well refused."""

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.bench.gateway import Gateway, wait_until
from tests.load.client import Answer, Connection
from tests.load.fleet import Fleet
from tests.load.ids import id_of, pod_of
from tests.load.odd import ODD, Asked, Behaviour, Odd, answer, content, head, well
from tests.load.pods import LISTED, StandIn
from tests.load.product import product
from tests.load.traffic import Traffic

pytestmark = pytest.mark.envoy

RECORDED, KNOWN = 500, 600
SERVERS = "/compute/v2.1/servers"
OTHERS = {0: LISTED, 1: LISTED}
MIB = 1 << 20
LARGE = 100 * MIB

Running = tuple[Gateway, Fleet, Odd]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("odd")
    odd = Odd()
    pods = [StandIn(folder, number) for number in (0, 1)]
    with product(folder, pods, RECORDED, [odd], timeouts={"list": 2.0}) as (gateway, fleet):
        yield gateway, fleet, odd


@pytest.fixture(autouse=True)
def _well_before(running: Running) -> None:
    """Let the pod be in its right mind, and Envoy see it: who failed may be left out for a time."""
    gateway, _, odd = running
    odd.behaviour = well
    wait_until(lambda: ask(gateway, f"/{id_of(ODD, 0)}").status == 200, every=0.2)
    odd.asked.clear()


def ask(gateway: Gateway, below: str, **headers: str) -> Answer:
    async def run() -> Answer:
        async with Connection(gateway.place.port) as connection:
            return await connection.ask("GET", f"{SERVERS}{below}", headers=headers)

    return asyncio.run(run())


def internal(found: Answer) -> list[str]:
    """Name what only Envoy, the processor and pods may hear."""
    names = ("x-trio2o", "x-envoy", "proxy-connection", "keep-alive")
    return [name for name in found.headers if name.startswith(names)]


def counted(body: bytes) -> dict[int, int]:
    """Count the servers of a list by pod."""
    found: dict[int, int] = {}
    for server in json.loads(body)["servers"]:
        pod = pod_of(server["id"])
        found[pod] = found.get(pod, 0) + 1
    return found


def bomb() -> bytes:
    """Pack 100 MiB of a list into 100 KiB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packed.compress(b'{"servers": [{"id": "')]
    parts += [packed.compress(bytes(MIB)) for _ in range(LARGE // MIB)]
    return b"".join([*parts, packed.flush()])


def large(*lines: str) -> Iterator[bytes]:
    yield head(*lines, "connection: close")
    for _ in range(LARGE // MIB):
        yield b"x" * MIB


def trickling(asked: Asked) -> Iterator[bytes]:
    body = content(asked)
    yield head(f"content-length: {len(body)}")
    for number in range(len(body)):
        yield body[number : number + 1]
        threading.Event().wait(1)


BOMB = bomb()
#: What is no answer, or no list, however it is looked at.
NO_ANSWERS: dict[str, Behaviour] = {
    "closes": lambda _: [],
    "speaks another protocol": lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "breaks off": lambda asked: [head(f"content-length: {len(content(asked)) + 10}"), b"{"],
    "breaks off in a piece": lambda _: [head("transfer-encoding: chunked"), b"ff\r\n{"],
    "sends a piece of no length": lambda _: [head("transfer-encoding: chunked"), b"zz\r\n{\r\n"],
    "says two lengths": lambda asked: [head("content-length: 1", "content-length: 2"), b"{}"],
    "says a length of pieces": lambda asked: [
        head("content-length: 2", "transfer-encoding: chunked"),
        b"2\r\n{}\r\n0\r\n\r\n",
    ],
    "has 300 headers": lambda asked: [
        answer(content(asked), *(f"x-{number}: odd" for number in range(300)))
    ],
    "has a NUL in a header": lambda asked: [answer(content(asked), "x-odd: a\0b")],
}
NO_LISTS: dict[str, Behaviour] = {
    **NO_ANSWERS,
    "has a header of 70 KB": lambda asked: [answer(content(asked), f"x-odd: {'x' * 70_000}")],
    "is cut": lambda asked: [answer(content(asked)[:-10])],
    "is deep": lambda asked: [answer(b'{"servers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")],
    "leads elsewhere": lambda asked: [
        answer(b"", "location: http://192.0.2.1/", status="302 Found")
    ],
    "is not packed": lambda asked: [answer(b"no gzip", "content-encoding: gzip")],
    "is a bomb": lambda asked: [answer(BOMB, "content-encoding: gzip")],
    "is too long": lambda asked: large(f"content-length: {LARGE}"),
    "is too long and does not say so": lambda asked: large(),
    "trickles": trickling,
}


@pytest.mark.parametrize("name", NO_LISTS)
def test_a_list_goes_on_without_a_pod_whose_answer(running: Running, name: str) -> None:
    gateway, _, odd = running
    odd.behaviour = NO_LISTS[name]
    for worker in gateway.workers:
        worker.forget_peak()
    before = [worker.memory for worker in gateway.workers]

    found = ask(gateway, "/detail")
    grown = [worker.peak - was for worker, was in zip(gateway.workers, before, strict=True)]

    assert found.status == 200
    assert (counted(found.body), found.headers["x-trio2o-missing"]) == (OTHERS, "az1")
    # What is read of one pod's answer at most, twice while it grows.
    assert max(grown) < 140


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_a_show_of_a_pod_that_answers_so_is_refused_in_the_services_form(
    running: Running, name: str
) -> None:
    gateway, _, odd = running
    odd.behaviour = NO_ANSWERS[name]

    # Known to Envoy, and in the database only.
    fresh = 1 + list(NO_ANSWERS).index(name)
    answers = [ask(gateway, f"/{id_of(ODD, number)}") for number in (0, fresh)]

    for found in answers:
        assert found.status in {502, 503}
        [(_, fault)] = json.loads(found.body).items()
        assert fault["code"] == found.status
        assert odd.name not in f"{found}"
        assert internal(found) == []


def test_a_large_answer_streams_or_is_refused_and_is_never_held(running: Running) -> None:
    gateway, _, odd = running
    envoy = gateway.place.process
    ask(gateway, f"/{id_of(ODD, 0)}/ips")
    odd.behaviour = lambda _: large()
    envoy.forget_peak()
    before = envoy.memory

    passed = ask(gateway, f"/{id_of(ODD, 0)}/ips")
    rewritten = ask(gateway, f"/{id_of(ODD, 0)}")
    unknown = ask(gateway, f"/{id_of(ODD, 100)}")

    assert (passed.status, len(passed.body)) == (200, LARGE)
    for found in (rewritten, unknown):
        assert found.status == 502
        assert json.loads(found.body)["computeFault"]["code"] == 502
        assert internal(found) == []
    assert envoy.peak - before < 40


def test_a_packed_list_is_read(running: Running) -> None:
    gateway, _, odd = running
    odd.behaviour = lambda asked: [answer(gzip.compress(content(asked)), "content-encoding: gzip")]

    found = ask(gateway, "/detail")

    assert counted(found.body) == {**OTHERS, ODD: LISTED}


@pytest.mark.parametrize(
    "early", ["100 Continue", "103 Early Hints\r\nx-trio2o-pod: Pod2"], ids=["100", "103"]
)
def test_what_comes_before_an_answer_is_no_answer(running: Running, early: str) -> None:
    gateway, _, odd = running
    odd.behaviour = lambda asked: [f"HTTP/1.1 {early}\r\n\r\n".encode(), *well(asked)]

    found = [ask(gateway, below) for below in (f"/{id_of(ODD, 0)}", f"/{id_of(ODD, 0)}/ips")]
    listed = ask(gateway, "/detail")

    assert [answer.status for answer in found] == [200, 200]
    assert "x-trio2o-pod" not in found[0].headers
    assert counted(listed.body) == {**OTHERS, ODD: LISTED}


def test_a_pod_teaches_envoy_nothing_and_clients_see_nothing_of_what_it_says_of_itself(
    running: Running,
) -> None:
    gateway, _, odd = running
    stolen = id_of(0, 400)
    lesson = f"{stolen}|as|Pod2/compute|/v2.1|%22az1%22|%22nova%22||"
    whose = f"GET http localhost Pod2/compute /v2.1/servers/{stolen}"
    lines = [
        f"proxy-connection: {lesson} {whose}",
        f"proxy-connection: = {whose}",
        "keep-alive: timeout=5, max=99",
        f"x-trio2o-seen: {whose}",
        *(f"x-trio2o-{name}: Pod2" for name in ("pod", "cluster", "known", "decision", "lane")),
        "x-trio2o-missing: az0",
        "x-envoy-upstream-service-time: 5",
        "x-envoy-attempt-count: 3",
        "x-envoy-peer-metadata: Pod2",
    ]
    odd.behaviour = lambda asked: [answer(content(asked), *lines)]

    answers = [
        ask(gateway, f"/{id_of(ODD, number)}{below}")
        for number in (0, 200, 0)
        for below in ("", "/ips")
    ]
    answers.append(ask(gateway, "/detail"))
    own = ask(gateway, f"/{stolen}")

    for found in answers:
        assert found.status == 200
        assert internal(found) == []
    assert own.headers["x-stand-in"].startswith(f"0 {stolen}")


def test_a_pod_that_answers_late_holds_up_only_its_own(running: Running) -> None:
    gateway, fleet, odd = running
    port, go_on = gateway.place.port, threading.Event()
    traffic = Traffic(fleet, RECORDED, KNOWN, lists=False)

    def late(asked: Asked) -> Iterator[bytes]:
        go_on.wait(60)
        yield from well(asked)

    async def run() -> tuple[bool, Answer, Answer]:
        async with Connection(port) as waiting, Connection(port, 1) as listing:
            own = asyncio.create_task(waiting.ask("GET", f"{SERVERS}/{id_of(ODD, 0)}"))
            listed = asyncio.create_task(listing.ask("GET", f"{SERVERS}/detail"))
            await traffic.run(port, 300, 8)
            still_waits = not own.done()
            found = await listed
            go_on.set()
            return still_waits, found, await own

    odd.behaviour = late
    still_waits, listed, own = asyncio.run(run())

    assert traffic.findings.unexpected == []
    assert still_waits
    assert (counted(listed.body), listed.headers["x-trio2o-missing"]) == (OTHERS, "az1")
    assert own.status == 200


def packed(encoding: str, pack: Callable[[bytes], bytes]) -> Behaviour:
    return lambda asked: [answer(pack(content(asked)), f"content-encoding: {encoding}")]


@pytest.mark.parametrize(
    "behaviour",
    [packed("gzip", gzip.compress), packed("deflate", zlib.compress)],
    ids=["gzip", "deflate"],
)
def test_a_show_that_nobody_asked_to_be_packed_is_read(
    running: Running, behaviour: Behaviour
) -> None:
    gateway, _, odd = running
    odd.behaviour = behaviour

    answers = [ask(gateway, f"/{id_of(ODD, number)}") for number in (0, 300, 0, 301, 0, 302)]

    # Envoy cannot unpack: each of its two workers leaves it to the processor from the second on.
    assert [found.status for found in answers].count(502) <= 2
    for found in answers:
        assert found.status in {200, 502}
        assert b"nova" not in found.body
        assert "content-encoding" not in found.headers
        if found.status == 200:
            assert json.loads(found.body)["server"]["OS-EXT-AZ:availability_zone"] == "az1"
        else:
            assert json.loads(found.body)["computeFault"]["code"] == 502


@pytest.mark.parametrize(
    "behaviour",
    [
        packed("br", lambda body: body),
        packed("gzip", lambda body: gzip.compress(body)[:-9]),
        packed("gzip", lambda _: BOMB),
        packed("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    ],
    ids=["unknown", "cut", "a bomb", "twice"],
)
def test_a_show_that_is_packed_so_that_it_cannot_be_read_is_refused(
    running: Running, behaviour: Behaviour
) -> None:
    gateway, _, odd = running
    odd.behaviour = behaviour
    for worker in gateway.workers:
        worker.forget_peak()
    before = [worker.memory for worker in gateway.workers]

    answers = [ask(gateway, f"/{id_of(ODD, 0)}") for _ in range(4)]
    grown = [worker.peak - was for worker, was in zip(gateway.workers, before, strict=True)]

    for found in answers:
        assert found.status == 502
        assert json.loads(found.body)["computeFault"]["code"] == 502
    assert max(grown) < 140
