"""The module of known ids beside a plain table of what it was told."""

from collections import Counter
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.module.building import Decision, Module
from tests.module.test_known_ids import LEGACY, STANDARD, decided

_scripts = count()
#: Enough that nothing starts over, which `fuzz.c` looks at.
_ROOM = 100_000
_MOST_OF_AN_ID = 64

items = st.sampled_from([b"one", b"two", b"a" * 36, b"", b"\xff"])
tails = st.sampled_from([b"", b"/ips", b"/", b"/metadata/k", b"//x", b"/%2f"]) | st.binary(
    max_size=12
).map(lambda text: text.replace(b"?", b"!").replace(b"\0", b"!"))
methods = st.sampled_from([b"GET", b"HEAD", b"DELETE", b"PUT"])
versions = st.sampled_from([(0, b""), (1, b"2.1"), (2, b"2.1"), (1, b"compute 2.90"), (2, b"x")])
clusters = st.sampled_from([b"Pod1/compute", b"Pod2/compute", b"Pod2/image", b"p/" + b"x" * 200])
prefixes = st.sampled_from([b"", b"/nova", b"/compute", b"/" + b"p" * 500])
queries = st.sampled_from([b"", b"?", b"?a=b", b"??", b"?/v2.1/servers/one"])
forged = st.lists(
    st.sampled_from([b"x-trio2o-early-seen", b"x-trio2o-early-known", b"x-envoy-a", b"x-trio2o-"]),
    max_size=4,
)

_Key = tuple[bytes, bytes, int, bytes]


class Worker(RuleBasedStateMachine):
    """What Lua and clients do to the store of one worker."""

    module: Module

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[_Key, Decision] = {}
        #: How much was kept of an id since it was forgotten.
        self.said_of: Counter[bytes] = Counter()
        self.name = b""
        self.stale = 0

    @initialize()
    def start(self) -> None:
        self.begin()

    @rule()
    def begin(self) -> None:
        self.stale = self.module.script
        self.name = b"machine %d" % next(_scripts)
        self.module.begin(self.name, _ROOM)
        self.told.clear()
        self.said_of.clear()

    @rule()
    def begin_again(self) -> None:
        assert self.module.script == self.module.begin(self.name, _ROOM)

    @rule()
    def clear(self) -> None:
        self.module.clear()
        self.told.clear()
        self.said_of.clear()

    @rule(
        item=items,
        tail=tails,
        method=methods,
        version=versions,
        cluster=clusters,
        prefix=prefixes,
        seen=st.booleans(),
        cut=st.sampled_from([0, 8]),
        stale=st.booleans(),
    )
    def keep(
        self,
        item: bytes,
        tail: bytes,
        method: bytes,
        version: tuple[int, bytes],
        cluster: bytes,
        prefix: bytes,
        cut: int,
        *,
        seen: bool,
        stale: bool,
    ) -> None:
        path = b"/compute/v2.1/servers/" + item + tail
        said = Decision(path, item, cluster, method, version[1], version[0], cut, prefix, seen=seen)
        full = self.said_of[item] == _MOST_OF_AN_ID
        key = (method, path, *version)
        kept = self.module.keep(said, self.stale if stale else None)
        if stale:
            assert not kept
        elif self.told.get(key) == said:
            assert kept
        elif full:
            assert not kept
            self.told.pop(key, None)
        else:
            assert kept
            self.said_of[item] += 1
            self.told[key] = said

    @rule(item=items)
    def forget(self, item: bytes) -> None:
        self.module.forget(item)
        del self.said_of[item]
        self.told = {key: said for key, said in self.told.items() if said.item != item}

    @precondition(lambda self: self.told)
    @rule(data=st.data(), query=queries, names=forged)
    def ask_for_what_was_told(self, data: st.DataObject, query: bytes, names: list[bytes]) -> None:
        key = data.draw(st.sampled_from(sorted(self.told)))
        self.check(key, query, names)

    @rule(item=items, tail=tails, method=methods, version=versions, query=queries, names=forged)
    def ask(
        self,
        item: bytes,
        tail: bytes,
        method: bytes,
        version: tuple[int, bytes],
        query: bytes,
        names: list[bytes],
    ) -> None:
        self.check((method, b"/compute/v2.1/servers/" + item + tail, *version), query, names)

    def check(self, key: _Key, query: bytes, names: list[bytes]) -> None:
        method, path, said_in, version = key
        sent = [(name, b"Pod9/compute") for name in names]
        if said_in:
            sent.append(((STANDARD, LEGACY)[said_in - 1], version))
        said = self.told.get(key)

        found = decided(self.module.ask(path + query, *sent, method=method))

        expected = None
        if said is not None:
            name = b"x-trio2o-early-seen" if said.seen else b"x-trio2o-early-known"
            expected = (said.prefix + path[said.cut :] + query, name, said.cluster)
        assert found == expected

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.module.count >= len(self.told)


def test_the_module_decides_what_a_plain_table_would(module: Module) -> None:
    Worker.module = module

    run_state_machine_as_test(
        Worker, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )
