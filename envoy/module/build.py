"""Build the module of known ids: `python envoy/module/build.py`; the package's build does it, too.

Without a C compiler nothing is built, and Envoy decides known ids in Lua.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "known_ids.c"
FILE = HERE / "libtrio2o_known_ids.so"

_FLAGS = ["-std=gnu11", "-O2", "-g0", "-Wall", "-Wextra", "-Wconversion"]
#: What Debian builds its own with, against writing where one must not.
_HARDENED = [
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
    "-fstack-protector-strong",
    "-Wl,-z,relro,-z,now",
]


def build(target: Path = FILE, *flags: str) -> Path | None:
    """Compile the module; None where there is no compiler. CalledProcessError if it fails."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        return None
    # In place of the one that a running Envoy has mapped, not into it.
    fresh = target.with_suffix(".new")
    command = [*compiler, *_FLAGS, *_HARDENED, *flags, "-shared", "-fPIC", "-o", str(fresh)]
    try:
        subprocess.run([*command, str(SOURCE)], check=True)  # noqa: S603
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target


if __name__ == "__main__":
    built = build()
    sys.stdout.write(f"{built}\n" if built else "no C compiler: nothing is built\n")
