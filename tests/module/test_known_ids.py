"""What the module of known ids keeps, what it decides by it, and what it takes off requests."""

import random
import subprocess
from pathlib import Path
from threading import Thread

import pytest

from tests.module.building import Decision, Headers, Module, fuzzer

SHOW = b"/compute/v2.1/servers/one"
STANDARD, LEGACY = b"openstack-api-version", b"x-openstack-nova-api-version"
#: What becomes of it.
SAID = Decision(SHOW, b"one", b"Pod1/compute", cut=len("/compute"), prefix=b"/nova")
KNOWN = (b"/nova/v2.1/servers/one", b"x-trio2o-early-known", b"Pod1/compute")


def decided(headers: Headers) -> tuple[bytes, bytes, bytes] | None:
    """Read the path and what the module has said; None if it said nothing."""
    said = [pair for pair in headers if pair[0].startswith(b"x-trio2o-early")]
    assert len(said) <= 1
    (path,) = [value for name, value in headers if name == b":path"]
    return (path, *said[0]) if said else None


def test_what_was_kept_is_decided_whatever_the_query_is(module: Module) -> None:
    assert module.keep(SAID)

    assert decided(module.ask(SHOW)) == KNOWN
    for query in (b"?", b"?a=b", b"?a=/compute?b"):
        assert decided(module.ask(SHOW + query)) == (KNOWN[0] + query, *KNOWN[1:])


def test_answers_that_lua_rewrites_are_told_apart(module: Module) -> None:
    module.keep(Decision(SHOW, b"one", seen=True))

    assert decided(module.ask(SHOW)) == (SHOW, b"x-trio2o-early-seen", b"Pod1/compute")


@pytest.mark.parametrize(
    "path", [SHOW + b"/", SHOW[:-1], SHOW + b"#", b"*", b"?", b"", b"/" + SHOW, SHOW + b"\0"]
)
def test_no_other_path_is_decided(module: Module, path: bytes) -> None:
    module.keep(SAID)

    assert decided(module.ask(path)) is None


def test_no_other_method_is_decided(module: Module) -> None:
    module.keep(SAID)

    assert decided(module.ask(SHOW, method=b"HEAD")) is None


def test_a_request_without_a_path_passes(module: Module) -> None:
    module.keep(SAID)
    connect = [(b":method", b"CONNECT"), (b":authority", b"a:1")]

    assert module.pass_headers(connect) == connect


def test_the_version_and_where_it_was_said_are_part_of_the_key(module: Module) -> None:
    for place, said_in in ((STANDARD, 1), (LEGACY, 2)):
        module.keep(
            Decision(SHOW, b"one", b"P%d/compute" % said_in, version=b"2.1", said_in=said_in)
        )
        found = decided(module.ask(SHOW, (place, b"2.1")))
        assert found == (SHOW, b"x-trio2o-early-known", b"P%d/compute" % said_in)

    assert decided(module.ask(SHOW)) is None
    assert decided(module.ask(SHOW, (STANDARD, b"2.2"))) is None
    assert decided(module.ask(SHOW, (STANDARD, b"2.1 "))) is None


@pytest.mark.parametrize(
    "versions",
    [
        [(STANDARD, b"2.1"), (LEGACY, b"2.1")],
        [(STANDARD, b"2.1"), (STANDARD, b"2.1")],
        [(LEGACY, b"2.1"), (LEGACY, b"2.1")],
        [(STANDARD, b"")],
        [(LEGACY, b"")],
    ],
)
def test_what_is_no_plain_version_is_left_to_lua(module: Module, versions: Headers) -> None:
    for said_in in range(3):
        for version in (b"", b"2.1"):
            module.keep(Decision(SHOW, b"one", version=version, said_in=said_in))

    assert decided(module.ask(SHOW, *versions)) is None


def test_who_asks_why_is_left_to_lua(module: Module) -> None:
    module.keep(SAID)

    headers = module.ask(SHOW, (b"x-trio2o-explain", b"1"))

    assert decided(headers) is None
    assert (b"x-trio2o-explain", b"1") in headers


@pytest.mark.parametrize("more", [0, 100, 128, 129, 1000])
def test_what_only_envoy_may_say_is_taken_off(module: Module, more: int) -> None:
    forged = [b"x-trio2o-early-seen", b"x-trio2o-early-known", b"x-trio2o-lane", b"x-envoy-max"]
    forged += [b"x-trio2o-", b"x-trio2o-explained", b"x-trio2o-explai", b"x-envoy-"]
    others = [(b"x-%d" % at, b"y") for at in range(more)]
    kept = [(name, b"z") for name in (b"x-trio2o", b"x-envoy", b"x", b"accept", b"x-forwarded-for")]
    sent = [(name, value) for name in forged for value in (b"Pod9/compute", b"2")] + others + kept
    random.Random(more).shuffle(sent)
    module.keep(SAID)

    headers = module.ask(SHOW, *sent)

    assert decided(headers) == KNOWN
    assert sorted(headers) == sorted(
        [
            (b":method", b"GET"),
            (b":path", KNOWN[0]),
            (b":authority", b"a"),
            KNOWN[1:],
            *others,
            *kept,
        ]
    )


def test_nothing_is_taken_off_that_clients_may_say(module: Module) -> None:
    sent = [(b"x-auth-token", b"t"), (b"x-trio2o-explain", b"1"), (b"x-trio2o-explain", b"2")]

    assert module.ask(b"/", *sent)[3:] == sent


def test_an_id_that_is_forgotten_is_forgotten_in_all_its_paths(module: Module) -> None:
    paths = [SHOW + tail for tail in (b"", b"/ips", b"/metadata/a")]
    for path in paths:
        module.keep(Decision(path, b"one"))
    module.keep(Decision(b"/compute/v2.1/servers/two", b"two"))

    module.forget(b"one")

    assert [decided(module.ask(path)) for path in paths] == [None] * 3
    assert decided(module.ask(b"/compute/v2.1/servers/two"))
    assert module.keep(Decision(SHOW, b"one"))
    assert decided(module.ask(SHOW))


def test_nobody_can_choose_ids_that_meet_whatever_the_seed_is(module: Module) -> None:
    """The highest bits of words go through a product unchanged, but for its upper half."""
    one, top, low = b"a" * 16, 1 << 63, 1 << 31
    first, second = (int.from_bytes(one[at : at + 8], "little") for at in (0, 8))
    other = b"".join(word.to_bytes(8, "little") for word in (first ^ top, second ^ top ^ low))
    module.keep(Decision(b"/other", other))

    module.forget(one)

    assert decided(module.ask(b"/other"))


def test_the_newest_of_two_decisions_counts(module: Module) -> None:
    for pod in [b"Pod1", b"Pod2", b"Pod1"]:
        module.keep(Decision(SHOW, b"one", pod + b"/compute"))

        assert decided(module.ask(SHOW)) == (SHOW, b"x-trio2o-early-known", pod + b"/compute")


def test_the_same_decision_takes_no_more_room(module: Module) -> None:
    for _ in range(100):
        assert module.keep(SAID)

    assert module.count == 1


def test_when_all_room_is_taken_it_starts_over(module: Module) -> None:
    module.begin(b"small", 10)
    paths = [b"/compute/v2.1/servers/%d" % at for at in range(25)]
    for path in paths:
        assert module.keep(Decision(path, path[22:]))
        assert decided(module.ask(path))
        assert module.count <= 10

    assert [path for path in paths if decided(module.ask(path))] == paths[20:]


def test_bytes_are_bounded_too(module: Module) -> None:
    module.begin(b"long ones", 4000)
    most = 0
    for at in range(8000):
        path = (b"/compute/v2.1/servers/%d/" % at).ljust(1020, b"p")
        assert module.keep(Decision(path, b"%d" % at))
        most = max(most, module.count)

    # 256 bytes for each, and some 1100 are taken.
    assert 900 < most < 2000


def test_of_one_id_no_more_is_kept_than_its_own_paths_are(module: Module) -> None:
    for at in range(1000):
        module.keep(Decision(SHOW + b"/metadata/%d" % at, b"one"))

    assert module.count == 64
    assert module.keep(Decision(b"/compute/v2.1/servers/two", b"two"))
    # What is new of one that was kept is not kept, and what was holds no more.
    assert not module.keep(Decision(SHOW + b"/metadata/1", b"one", b"Pod2/compute"))
    assert decided(module.ask(SHOW + b"/metadata/1")) is None
    assert decided(module.ask(SHOW + b"/metadata/2"))
    module.forget(b"one")
    assert module.keep(SAID)


@pytest.mark.parametrize(
    "said",
    [
        Decision(SHOW.ljust(1022, b"x"), b"one"),
        Decision(SHOW, b"one", version=b"v" * 1001, said_in=1),
        Decision(SHOW, b"one", prefix=b"p" * 513),
        Decision(SHOW, b"one", b"c" * 257),
        Decision(SHOW, b"one", cut=len(SHOW) + 1),
    ],
)
def test_what_is_too_long_is_not_kept(module: Module, said: Decision) -> None:
    assert not module.keep(said)

    assert module.count == 0


def test_a_path_that_would_become_too_long_is_left_to_lua(module: Module) -> None:
    module.keep(SAID)
    longest = 8192 - len(KNOWN[0])

    assert decided(module.ask(SHOW + b"?".ljust(longest, b"q")))
    assert decided(module.ask(SHOW + b"?".ljust(longest + 1, b"q"))) is None
    assert decided(module.ask(SHOW + b"?".ljust(90 << 10, b"q"))) is None


def test_nothing_is_kept_before_a_script_has_begun_or_without_room(module: Module) -> None:
    module.begin(b"no room", 0)

    assert not module.keep(SAID)
    assert decided(module.ask(SHOW)) is None


def test_what_is_cleared_is_gone_and_the_words_of_clusters_stay(module: Module) -> None:
    module.keep(SAID)
    module.describe(b"Pod1/compute", b"text")

    module.clear()

    assert (module.count, decided(module.ask(SHOW))) == (0, None)
    assert module.words(b"Pod1/compute") == b"text"


def test_a_new_script_forgets_what_another_has_said(module: Module) -> None:
    module.keep(SAID)
    module.describe(b"Pod1/compute", b"text")

    module.begin(b"another")

    assert (module.count, decided(module.ask(SHOW))) == (0, None)
    assert module.words(b"Pod1/compute") is None


def test_a_script_that_was_replaced_is_not_heard(module: Module) -> None:
    """It may run until the worker has the new one."""
    old = module.script
    module.begin(b"another")
    module.keep(Decision(b"/new", b"new"))

    module.clear(old)

    assert not module.keep(SAID, old)
    assert not module.describe(b"Pod1/compute", b"text", old)
    assert module.count == 1


def test_the_same_script_goes_on_with_what_it_has_said(module: Module) -> None:
    """Listeners that drain and that begin have each a Lua."""
    module.begin(b"same")
    module.keep(SAID)

    first = module.script

    assert module.begin(b"same") == first
    assert decided(module.ask(SHOW)) == KNOWN


def test_of_a_cluster_the_newest_words_count(module: Module) -> None:
    for text in (b"one", b"one", b"two", b"", b"w" * 65536):
        assert module.describe(b"Pod1/compute", text)
        assert module.words(b"Pod1/compute") == text

    assert not module.describe(b"Pod1/compute", b"w" * 65537)
    assert module.words(b"Pod2/compute") is None
    names = [b"Pod%d/compute" % at for at in range(2000)]
    assert all(module.describe(name, name * 2) for name in names)
    assert [module.words(name) for name in names] == [name * 2 for name in names]


def test_threads_have_stores_of_their_own(module: Module) -> None:
    module.keep(SAID)
    found: list[object] = []

    def other() -> None:
        found.append(decided(module.ask(SHOW)))
        script = module.known.trio2o_known_begin_1(b"other", 5, 10)
        found.append(module.keep(Decision(SHOW, b"one", b"Pod2/compute"), script))
        found.append(decided(module.ask(SHOW)))

    thread = Thread(target=other)
    thread.start()
    thread.join()

    assert found == [None, True, (SHOW, b"x-trio2o-early-known", b"Pod2/compute")]
    assert decided(module.ask(SHOW)) == KNOWN


@pytest.mark.parametrize("seed", [1, 2])
def test_random_requests_meet_the_newest_decision_and_no_sanitizer(folder: Path, seed: int) -> None:
    ended = subprocess.run(
        [str(fuzzer(folder)), str(seed), "150000"], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
