"""The module of known ids and a stand-in of Envoy, built and called from Python."""

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
from ctypes import POINTER, byref, c_bool, c_char_p, c_size_t, c_uint8, c_uint32, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
_SOURCES = HERE.parents[1] / "envoy" / "module"
_STRICT = ("-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
_SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def compiler() -> list[str]:
    """Find the compiler of build.py; empty where there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    return command if shutil.which(command[0]) else []


def _build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_known_ids", _SOURCES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def _compile(target: Path, *arguments: str) -> Path:
    subprocess.run([*compiler(), *_STRICT, *arguments, "-o", str(target)], check=True)
    return target


def library(folder: Path) -> Path:
    """Build the module as it is now."""
    target: Path = _build_script().build(folder / "known_ids.so", "-Werror")
    return target


def fuzzer(folder: Path) -> Path:
    """Build what asks at random, with the sanitizers of the compiler."""
    sources = (HERE / "fuzz.c", HERE / "envoy.c", _SOURCES / "known_ids.c")
    return _compile(folder / "fuzz", *_SANITIZED, *map(str, sources))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", c_void_p),
        ("name_length", c_size_t),
        ("value", c_void_p),
        ("value_length", c_size_t),
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What Lua tells the module of one path."""

    path: bytes
    item: bytes
    cluster: bytes = b"Pod1/compute"
    method: bytes = b"GET"
    version: bytes = b""
    said_in: int = 0
    cut: int = 0
    prefix: bytes = b""
    seen: bool = False


@dataclass(slots=True)
class Module:
    """The module, called as Lua and Envoy do."""

    known: ctypes.CDLL
    envoy: ctypes.CDLL
    script: int = field(default=0)

    @classmethod
    def built(cls, folder: Path) -> "Module":
        """Build both and load them; Envoy first, whose functions the module finds by name."""
        stand_in = _compile(folder / "envoy.so", "-shared", "-fPIC", str(HERE / "envoy.c"))
        module = library(folder)
        envoy = ctypes.CDLL(str(stand_in), ctypes.RTLD_GLOBAL)
        known = ctypes.CDLL(str(module))
        known.trio2o_known_begin_1.restype = c_uint32
        known.trio2o_known_begin_1.argtypes = (c_char_p, c_size_t, c_size_t)
        known.trio2o_known_clear.argtypes = (c_uint32,)
        known.trio2o_known_count.restype = c_size_t
        known.trio2o_known_forget.argtypes = (c_char_p, c_size_t)
        text = (c_char_p, c_size_t)
        known.trio2o_known_describe.restype = c_bool
        known.trio2o_known_describe.argtypes = (c_uint32, *text, *text)
        known.trio2o_known_words.restype = c_void_p
        known.trio2o_known_words.argtypes = (*text, POINTER(c_size_t))
        known.trio2o_known_keep.restype = c_bool
        known.trio2o_known_keep.argtypes = (
            *(c_uint32, *text, *text, *text, c_uint8, *text, c_size_t, *text, *text, c_bool),
        )
        known.envoy_dynamic_module_on_early_header_mutation_mutate.restype = c_bool
        known.envoy_dynamic_module_on_early_header_mutation_mutate.argtypes = (c_void_p, c_void_p)
        known.envoy_dynamic_module_on_program_init.restype = c_char_p
        envoy.request_new.restype = c_void_p
        envoy.request_add.argtypes = (c_void_p, *text, *text)
        envoy.request_count.restype = c_size_t
        envoy.request_count.argtypes = (c_void_p,)
        envoy.request_read.argtypes = (c_void_p, c_size_t, POINTER(_Header))
        envoy.request_free.argtypes = (c_void_p,)
        assert known.envoy_dynamic_module_on_program_init() == b"v0.2.0"
        return cls(known, envoy)

    def begin(self, name: bytes, capacity: int = 1000) -> int:
        """Speak as a script from now on."""
        self.script = self.known.trio2o_known_begin_1(name, len(name), capacity)
        return self.script

    def clear(self, script: int | None = None) -> None:
        self.known.trio2o_known_clear(self.script if script is None else script)

    @property
    def count(self) -> int:
        return int(self.known.trio2o_known_count())

    def forget(self, item: bytes) -> None:
        self.known.trio2o_known_forget(item, len(item))

    def describe(self, name: bytes, text: bytes, script: int | None = None) -> bool:
        script = self.script if script is None else script
        said = self.known.trio2o_known_describe(script, name, len(name), text, len(text))
        return bool(said)

    def words(self, name: bytes) -> bytes | None:
        length = c_size_t()
        at = self.known.trio2o_known_words(name, len(name), byref(length))
        return ctypes.string_at(at, length.value) if at else None

    def keep(self, said: Decision, script: int | None = None) -> bool:
        kept = self.known.trio2o_known_keep(
            self.script if script is None else script,
            *(said.method, len(said.method), said.path, len(said.path)),
            *(said.version, len(said.version), said.said_in, said.item, len(said.item)),
            *(said.cut, said.prefix, len(said.prefix), said.cluster, len(said.cluster)),
            said.seen,
        )
        return bool(kept)

    def ask(self, path: bytes, *more: tuple[bytes, bytes], method: bytes = b"GET") -> "Headers":
        """Let a request pass; give its headers afterwards."""
        pseudo = [(b":method", method), (b":path", path), (b":authority", b"a")]
        return self.pass_headers([*pseudo, *more])

    def pass_headers(self, sent: "Headers") -> "Headers":
        request = self.envoy.request_new()
        try:
            for name, value in sent:
                self.envoy.request_add(request, name, len(name), value, len(value))
            on = self.known.envoy_dynamic_module_on_early_header_mutation_mutate(None, request)
            assert on
            return [self._header(request, at) for at in range(self.envoy.request_count(request))]
        finally:
            self.envoy.request_free(request)

    def _header(self, request: int, index: int) -> tuple[bytes, bytes]:
        header = _Header()
        self.envoy.request_read(request, index, byref(header))
        name = ctypes.string_at(header.name, header.name_length)
        return name, ctypes.string_at(header.value, header.value_length)


Headers = list[tuple[bytes, bytes]]
