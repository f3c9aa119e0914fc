"""Hatch build hook: generate control_plane/pb from the .proto files beside this file.

It builds the module of known ids as well (envoy/module/build.py), where there is a C compiler.

Runs when the package is built or installed in editable form; `python protos/generate.py`
runs it by hand after a .proto changed.
"""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def generate(root: Path = ROOT) -> list[Path]:
    """Write one `_pb2.py`, `_pb2.pyi` and, for services of our own, `_pb2_grpc.py` a .proto."""
    import grpc_tools
    from grpc_tools import protoc

    protos = root / "protos"
    out = root / "control_plane" / "pb"
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    # The virtual path makes the generated modules import each other as control_plane.pb.*.
    arguments = [
        "protoc",
        f"--proto_path=control_plane/pb={protos}",
        f"--proto_path={well_known}",
        f"--python_out={root}",
        f"--pyi_out={root}",
        f"--grpc_python_out={root}",
    ]
    sources = sorted(protos.glob("*.proto"))
    status = protoc.main([*arguments, *(f"control_plane/pb/{source.name}" for source in sources)])
    if status:
        message = f"protoc ended with status {status}"
        raise RuntimeError(message)
    return sorted(out.glob("*_pb2*"))


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, without hatchling
    pass
else:
    from packaging.tags import platform_tags

    class GenerateStubs(BuildHookInterface[Any]):
        """Called by hatchling before each build."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            """Generate the stubs, whose failure fails the build; Envoy works without the module."""
            generate(Path(self.root))
            if self.target_name == "wheel" and self._build_module():
                # For this kind of machine alone, but for any Python: the module knows of none.
                kinds = (tag for tag in platform_tags() if not tag.startswith(("many", "musl")))
                build_data.update(pure_python=False, tag=f"py3-none-{next(kinds)}")

        def _build_module(self) -> bool:
            """Build the module of known ids, and say whether it is there."""
            module = runpy.run_path(str(Path(self.root) / "envoy" / "module" / "build.py"))
            try:
                if module["build"]():
                    return True
                reason = "no C compiler"
            except subprocess.CalledProcessError as error:
                reason = f"{error.cmd[0]} ended with status {error.returncode}"
            # What lies there is of another machine, or does not fit the Lua beside it.
            module["FILE"].unlink(missing_ok=True)
            self.app.display_warning(f"no module, known ids are decided in Lua: {reason}")
            return False


if __name__ == "__main__":
    for path in generate():
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
