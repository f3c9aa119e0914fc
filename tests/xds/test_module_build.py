"""How the module of known ids gets into the package; what it does is in test_module.py."""

import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = "libtrio2o_known_ids.so"
PACKED = f"control_plane/_envoy/module/{FILE}"

Build = Callable[..., Path | None]

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.delenv("CC", raising=False)
    return runpy.run_path(str(ROOT / "envoy" / "module" / "build.py"))["build"]


# The last as Ubuntu's, which hardens by itself.
@pytest.mark.parametrize("compiler", ["gcc", "clang", "gcc -D_FORTIFY_SOURCE=3"])
def test_compilers_have_nothing_to_say(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    if shutil.which(compiler.partition(" ")[0]) is None:
        pytest.skip(f"no {compiler}")
    monkeypatch.setenv("CC", compiler)

    built = build(tmp_path / FILE, "-Werror")

    assert built == tmp_path / FILE
    assert built.read_bytes().startswith(b"\x7fELF")


def test_without_a_compiler_nothing_is_built(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "/nonexistent/cc -m64")

    assert build(tmp_path / FILE) is None
    assert not list(tmp_path.iterdir())


def test_an_empty_CC_is_none(  # noqa: N802
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert build(tmp_path / FILE) is None


def test_what_was_there_stays_until_the_new_one_is_whole(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / FILE
    target.write_text("before")
    compiler = tmp_path / "cc"
    # Writes a part of what it was asked for, as one does that runs out of disk.
    compiler.write_text(
        '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; echo half >"$2"; exit 3\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))

    with pytest.raises(subprocess.CalledProcessError):
        build(target)

    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {FILE, "cc"}


@needs_compiler
def test_a_new_one_takes_the_place_of_one_that_is_mapped(build: Build, tmp_path: Path) -> None:
    target = tmp_path / FILE
    target.write_text("before")
    with target.open() as mapped:
        build(target)

        assert mapped.read() == "before"
    assert target.read_bytes().startswith(b"\x7fELF")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Copy what a source distribution holds, with a module of who knows which machine."""
    folder = tmp_path / "sources"
    left = shutil.ignore_patterns("__pycache__", "*.so")
    for name in ("control_plane", "envoy", "protos"):
        shutil.copytree(ROOT / name, folder / name, ignore=left)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    (folder / "envoy" / "module" / FILE).write_text("stale")
    return folder


def wheel(sources: Path, **environment: str) -> zipfile.ZipFile:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=sources,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    (found,) = (sources / "dist").glob("*.whl")
    return zipfile.ZipFile(found)


@needs_compiler
def test_a_wheel_with_the_module_is_for_this_machine_and_any_python(sources: Path) -> None:
    with wheel(sources) as found:
        module = found.read(PACKED)

    assert module.startswith(b"\x7fELF")
    assert "-py3-none-linux_" in str(found.filename)


@pytest.mark.parametrize("compiler", ["/nonexistent", "false"], ids=["none", "one that fails"])
def test_a_wheel_without_a_compiler_is_pure_and_holds_no_other_machines_module(
    sources: Path, compiler: str
) -> None:
    with wheel(sources, CC=compiler) as found:
        names = found.namelist()

    assert PACKED not in names
    assert "control_plane/_envoy/lua/owner_cache.lua" in names
    assert str(found.filename).endswith("-py3-none-any.whl")
