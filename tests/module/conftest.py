"""The module of known ids without Envoy."""

from itertools import count
from pathlib import Path

import pytest

from tests.module.building import Module, compiler

_scripts = count()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Module:
    if not compiler():
        pytest.skip("there is no C compiler to build the module of known ids with")
    return Module.built(tmp_path_factory.mktemp("module"))


@pytest.fixture
def module(built: Module) -> Module:
    """Begin with nothing kept."""
    built.begin(b"test %d" % next(_scripts))
    return built


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not compiler():
        pytest.skip("there is no C compiler to build the module of known ids with")
    return tmp_path
