"""The module of known ids: where it is, and how Envoy is told to load it.

It is built from envoy/module where the package is built and there is a C compiler. An Envoy has it
or has not, and says so in its node's metadata; Envoys without it do the same in Lua, only slower.
"""

from pathlib import Path

from google.protobuf.struct_pb2 import Struct

from control_plane.pb.dynamic_module_pb2 import (
    AsyncDataSource,
    DataSource,
    DynamicModuleConfig,
    DynamicModuleEarlyHeaderMutation,
)
from control_plane.xds import messages as m

FILE = "libtrio2o_known_ids.so"
#: Under this name an Envoy says in its node's metadata where the module is.
NODE_KEY = "trio2o.known_ids"

_NAME = "envoy.http.early_header_mutation.dynamic_modules"
_TYPE = (
    "type.googleapis.com/envoy.extensions.http.early_header_mutation.dynamic_modules.v3"
    ".DynamicModuleEarlyHeaderMutation"
)


def envoy_files() -> Path:
    """Find what is for Envoy, in the installed package or in the source tree."""
    package = Path(__file__).parents[1]
    installed = package / "_envoy"
    return installed if installed.is_dir() else package.parent / "envoy"


def built_module() -> Path | None:
    """Find the module; None where it was not built."""
    path = envoy_files() / "module" / FILE
    return path if path.is_file() else None


def module_of(metadata: Struct) -> str:
    """Read where an Envoy has the module; empty if it has none."""
    value = metadata.fields.get(NODE_KEY)
    return value.string_value if value is not None else ""


def known_ids(module: str) -> m.core.TypedExtensionConfig:
    """Decide known ids, and remove what only Envoy may say, before anything routes."""
    config = DynamicModuleEarlyHeaderMutation(
        dynamic_module_config=DynamicModuleConfig(
            # What it keeps must outlast a change of the listener, and Lua must find it by name.
            do_not_close=True,
            load_globally=True,
            module=AsyncDataSource(local=DataSource(filename=module)),
        ),
        early_header_mutation_name="known_ids",
    )
    return m.core.TypedExtensionConfig(
        name=_NAME, typed_config=m.Any(type_url=_TYPE, value=config.SerializeToString())
    )
