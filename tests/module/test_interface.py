"""What Lua and the module of known ids agree on, whichever of them is newer."""

import hashlib
import json
import re
import runpy
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from control_plane.xds.gateway import OwnerCache
from tests.xds.gateway import running_gateway
from tests.xds.test_module import logged
from tests.xds.test_owner_cache import POD2, SCRIPT, World

ENVOY = Path(__file__).parents[2] / "envoy"
NAME = re.compile(r"\btrio2o_known_\w+(?=\()")
#: The functions' declarations as Lua has them, by the number in the name of the first.
FORMS = {"1": "150709b7dfc0b58a"}


def declared() -> str:
    text = (ENVOY / "lua" / "owner_cache.lua").read_text()
    return " ".join(text.partition("ffi.cdef([[")[2].partition("]])")[0].split())


def test_functions_that_change_have_another_number() -> None:
    """A module of before would read what it is given as something else: raise the number."""
    (number,) = re.findall(r"trio2o_known_begin_(\d+)", declared())

    assert FORMS[number] == hashlib.sha256(declared().encode()).hexdigest()[:16]


def test_what_lua_declares_is_what_the_module_has() -> None:
    source = (ENVOY / "module" / "known_ids.c").read_text()

    defined = set(NAME.findall(source))

    assert set(NAME.findall(declared())) <= defined


@pytest.mark.envoy
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
async def test_a_module_of_another_number_is_told_nothing(tmp_path: Path) -> None:
    build = runpy.run_path(str(ENVOY / "module" / "build.py"))["build"]
    (ours,) = re.findall(r"trio2o_known_begin_\d+", declared())
    other = build(tmp_path / "other.so", f"-D{ours}=trio2o_known_begin_0")
    services = ("compute", "volume", "network")
    async with running_gateway(
        tmp_path, cache=OwnerCache(SCRIPT), services=services, owner_cache=True, module=str(other)
    ) as gateway:
        world, known = World(gateway), str(uuid4())
        await world.teach(known, POD2)

        answers = [await world.ask_once(f"/compute/v2.1/servers/{known}/ips") for _ in range(3)]

        assert {json.loads(body)["pod"] for _, _, body in answers} == {"Pod2"}
        # It is there and runs, and knows of no id.
        routes = [line["route"] for line in await logged(world, 4)]
        assert routes[1:] == ["known-read"] * 3
