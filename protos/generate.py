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

    class GenerateStubs(BuildHookInterface[Any]):
        """Called by hatchling before each build."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            """Generate the stubs, whose failure fails the build; Envoy works without the module."""
            generate(Path(self.root))
            build = runpy.run_path(str(Path(self.root) / "envoy" / "module" / "build.py"))["build"]
            try:
                built = build()
            except subprocess.CalledProcessError as error:
                built = None
                self.app.display_warning(f"the module of known ids was not built: {error}")
            if built:
                # The wheel is for this kind of machine alone.
                build_data.update(pure_python=False, infer_tag=True)


if __name__ == "__main__":
    for path in generate():
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
