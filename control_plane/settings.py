"""What an operator sets: `trio2o.yaml`, each key also by environment, the environment first.

`TRIO2O_IDENTITY__PASSWORD=…` sets `identity.password`. A process that cannot read its settings
ends with one line that names the key.
"""

import hashlib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from control_plane.model.address import (
    LONGEST_SOCKET_PATH,
    Address,
    AnyAddress,
    SocketPath,
    parse_address,
)
from control_plane.model.errors import StartupError

try:
    # A file of a thousand pods takes the one in C a fifth of the time.
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # pragma: no cover - PyYAML built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]


class YamlLoader(_SafeLoader):
    """Builds plain values only, and refuses a mapping that has a key twice.

    YAML forbids it, and PyYAML takes the last: of two pods whose `---` was forgotten, one would be
    gone unseen.
    """

    def construct_document(self, node: yaml.Node) -> Any:
        """Look at the whole document before anchors are merged into what names them."""
        waiting, seen = [node], set()
        while waiting:
            entry = waiting.pop()
            if id(entry) in seen:
                continue
            seen.add(id(entry))
            if isinstance(entry, yaml.MappingNode):
                _refuse_doubled_keys(entry)
                waiting += (value for _, value in entry.value)
            elif isinstance(entry, yaml.SequenceNode):
                waiting += entry.value
        return super().construct_document(node)


def _refuse_doubled_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value in seen:
            fault = f"the key {key.value} is given twice"
            raise yaml.constructor.ConstructorError(problem=fault, problem_mark=key.start_mark)
        seen.add(key.value)


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def _reach(value: object) -> object:
    if not isinstance(value, str):
        return value
    return parse_address(value) if value else None


# NoDecode: the environment has the text itself, not JSON as for other objects.
Listen = Annotated[Address, NoDecode, BeforeValidator(_address)]
#: `host:port` or `unix:/path`; empty where it is for us to choose.
Reach = Annotated[AnyAddress | None, NoDecode, BeforeValidator(_reach)]
#: Envoy's durations, and the kernel's, have no place for the infinite; a day is no limit any more.
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Section):
    """The service user with which the control plane validates tokens and reads the catalog."""

    auth_url: str
    username: str
    password: SecretStr
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"

    @field_validator("auth_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            message = f"not an http or https URL: {value!r}"
            raise ValueError(message)
        return value.rstrip("/")


class Admin(_Section):
    """The REST form of administration."""

    listen: Listen = Address("127.0.0.1", 19996)


class Xds(_Section):
    """The gRPC server: ADS and the administration service."""

    listen: Listen = Address("127.0.0.1", 18000)


class Processor(_Section):
    """The processes that answer Envoy's ext_proc, each at places of its own, one behind the other.

    `words` is for exchanges of one message, `listen` for all others: `unix:/path` or `host:port`,
    of which worker 2 has `/path.2` and the second port behind. Empty: see `Settings.processors`.
    `workers` 0: one for every two cores, since Envoy and they share a request's work.
    """

    listen: Reach = None
    words: Reach = None
    workers: Annotated[int, Field(ge=0)] = 0

    @property
    def count(self) -> int:
        """How many processes there are."""
        return self.workers or max(1, len(os.sched_getaffinity(0)) // 2)


class Tls(_Section):
    """The certificate clients see, PEM files with what signed it and its key; none: plain HTTP.

    The control plane reads both again when they change and gives them to every Envoy.
    """

    certificate: str = ""
    key: str = ""

    @model_validator(mode="after")
    def _is_pair(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            message = "certificate and key are given together or not at all"
            raise ValueError(message)
        return self

    @property
    def enabled(self) -> bool:
        """Whether clients speak TLS."""
        return bool(self.certificate)


class Metrics(_Section):
    """/metrics, /healthz and /readyz."""

    listen: Listen = Address("127.0.0.1", 9091)


class Envoy(_Section):
    """What the control plane says to Envoy in its bootstrap.

    `egress` is the listener through which pods are asked: `unix:/path` or `host:port`; empty for a
    socket in a directory of its own (`Settings.egress`). `concurrency` 0 is one worker a core.
    `trusted_hops`: proxies before Envoy whose X-Forwarded-For and -Proto are believed. `ca_file`:
    the authorities that pods' https endpoints are checked against, a file of Envoy's machine.
    `module`: whether the Envoy of `trio2o up` gets the module of known ids, where it was built.
    """

    admin: Listen = Address("127.0.0.1", 9901)
    concurrency: Annotated[int, Field(ge=0)] = 0
    egress: Reach = None
    trusted_hops: Annotated[int, Field(ge=0, le=100)] = 0
    ca_file: Annotated[str, Field(min_length=1)] = "/etc/ssl/certs/ca-certificates.crt"
    module: bool = True


class Timeouts(_Section):
    """How long others may take, seconds: a pod for one request or for its part of a list."""

    pod: Seconds = 60.0
    list: Seconds = 30.0
    keystone: Seconds = 10.0


class OwnerCache(_Section):
    """What each worker of Envoy remembers of the pods of ids.

    `entries` twice in Lua, and as many decisions in the module of known ids; about 200 B each.
    """

    enabled: bool = True
    entries: Annotated[int, Field(gt=0)] = 200_000


class Log(_Section):
    """What is logged, and how it is written."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Scheduling(_Section):
    """Where creates go that name no zone, of projects that are bound nowhere.

    `default_zone` empty: the first zone by name; `*`: projects spread over all zones by weight.
    """

    default_zone: str = ""


class Settings(BaseSettings):
    """All of `trio2o.yaml`; read it with `load`."""

    model_config = SettingsConfigDict(
        env_prefix="TRIO2O_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    region: Annotated[str, Field(min_length=1)] = "RegionOne"
    listen: Listen = Address("0.0.0.0", 8080)  # noqa: S104 - the gateway is there to be reached
    tls: Tls = Tls()
    identity: Identity
    database: str = "sqlite:///trio2o.db"
    admin: Admin = Admin()
    xds: Xds = Xds()
    processor: Processor = Processor()
    metrics: Metrics = Metrics()
    envoy: Envoy = Envoy()
    timeouts: Timeouts = Timeouts()
    scheduling: Scheduling = Scheduling()
    owner_cache: OwnerCache = OwnerCache()
    log: Log = Log()
    #: In the operators' form; checked when they are applied.
    pods: list[dict[str, Any]] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - given by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before the file, which `load` passes as arguments."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _workers_can_listen(self) -> Self:
        """Refuse what has no room for the name and the number of a worker."""
        try:
            _ = self.processors, self.words
        except ValueError as error:
            message = f"processor.listen, processor.words: {error}"
            raise ValueError(message) from error
        return self

    @property
    def egress(self) -> AnyAddress:
        """The egress listener."""
        return self.envoy.egress or SocketPath(str(self.runtime_directory / "egress.sock"))

    @property
    def processors(self) -> tuple[AnyAddress, ...]:
        """Where each worker answers conversations.

        Unless it is said, sockets beside that of the egress listener, since a message takes less
        work over them; ports, where that listener has one and Envoy may be elsewhere.
        """
        return self._of_workers(self.processor.listen, "processor", 18001)

    @property
    def words(self) -> tuple[AnyAddress, ...]:
        """Where each worker answers exchanges of one message; by default as `processors`."""
        return self._of_workers(self.processor.words, "words", 18101)

    def _of_workers(self, first: AnyAddress | None, name: str, port: int) -> tuple[AnyAddress, ...]:
        egress = self.egress
        if first is None and isinstance(egress, SocketPath):
            beside = Path(egress.path)
            first = SocketPath(str(beside.with_name(f"{beside.stem}-{name}{beside.suffix}")))
        first = first or Address("127.0.0.1", port)
        return tuple(first.numbered(number) for number in range(self.processor.count))

    @property
    def runtime_directory(self) -> Path:
        """A directory of this user and this gateway; it may not exist yet.

        Named by a digest of the addresses, so that a control plane and an Envoy that are started
        apart agree on it, and two gateways on one host do not meet.
        """
        digest = hashlib.sha256(f"{self.listen} {self.xds.listen}".encode()).hexdigest()[:8]
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if runtime.startswith("/") and len(runtime) <= LONGEST_SOCKET_PATH // 2:
            return Path(runtime) / f"trio2o-{digest}"
        return Path(f"/tmp/trio2o-{os.getuid()}-{digest}")  # noqa: S108 - made with mode 0700


def load(path: Path | None) -> Settings:
    """Read the settings from a file, if any, and the environment; StartupError with one line."""
    source = str(path) if path else "settings"
    content = _read(path) if path else {}
    try:
        return Settings(**content)
    except ValidationError as error:
        faults = "; ".join(_fault(entry) for entry in error.errors(include_url=False))
        message = f"{source}: {faults}"
    except SettingsError as error:
        message = f"{source}: {error}"
    raise StartupError(message)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), YamlLoader)  # noqa: S506 - is safe
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise StartupError(message) from error
    except (yaml.YAMLError, ValueError) as error:
        # ValueError: no UTF-8, or a value such as 2026-99-99.
        message = f"{path}: not YAML: {' '.join(str(error).split())}"
        raise StartupError(message) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        message = f"{path}: not a mapping of keys to values"
        raise StartupError(message)
    # A section whose keys are all commented out is none.
    return {key: value for key, value in content.items() if value is not None}


def _fault(entry: Any) -> str:
    """Say which key and what is wrong, never the value: it may be a secret."""
    key = ".".join(str(part) for part in entry["loc"])
    texts = {"missing": "is required", "extra_forbidden": "is no key of trio2o.yaml"}
    text = texts.get(entry["type"], entry["msg"].removeprefix("Value error, "))
    return f"{key}: {text}" if key else text
