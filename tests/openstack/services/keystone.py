"""Keystone, the one identity service of all pods and of the gateway."""

from collections.abc import Sequence
from pathlib import Path

from tests.openstack.processes import Processes
from tests.openstack.services import options
from tests.openstack.settings import KEYSTONE, PASSWORD, Settings

NAME = "keystone"


def schemas(settings: Settings, etc: Path) -> dict[str, Sequence[str]]:
    """Give the command that builds the database of the template."""
    file = etc / "keystone.conf"
    database = options.database(settings, "tmpl_keystone")
    options.write(settings, file, {"DEFAULT": options.common(settings), "database": database})
    return {"keystone": [*_manage(settings, file), "db_sync"]}


def configure(settings: Settings) -> None:
    """Write keystone.conf."""
    etc = settings.etc / NAME
    sections: dict[str, options.Section] = {
        "DEFAULT": {
            **options.common(settings),
            "public_endpoint": settings.keystone.removesuffix("/v3"),
        },
        "database": options.database(settings, NAME),
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": etc / "fernet-keys"},
        "credential": {"key_repository": etc / "credential-keys"},
        # Cheap hashes: the default costs 0.2 s of CPU for each login.
        "identity": {"password_hash_rounds": 4},
        "cache": options.cache(settings),
    }
    options.write(settings, etc / "keystone.conf", sections)


def start(processes: Processes) -> None:
    """Make keys and the first administrator on the first start, then serve."""
    settings = processes.settings
    etc = settings.etc / NAME
    manage = _manage(settings, etc / "keystone.conf")
    if not (etc / "fernet-keys").is_dir():
        me = ["--keystone-user", options.owner(), "--keystone-group", options.owner()]
        processes.run([*manage, "fernet_setup", *me])
        processes.run([*manage, "credential_setup", *me])
    mark = settings.run / ".bootstrapped"
    if not mark.exists():
        region = ["--bootstrap-region-id", settings.user_region]
        for interface in ("public", "internal", "admin"):
            region += [f"--bootstrap-{interface}-url", settings.keystone]
        processes.run([*manage, "bootstrap", "--bootstrap-password", PASSWORD, *region])
        mark.touch()
    folder = {"OS_KEYSTONE_CONFIG_DIR": str(etc)}
    processes.serve(NAME, "keystone.wsgi.api", settings.port(KEYSTONE), folder)
    processes.wait_for_http(settings.keystone, NAME)


def _manage(settings: Settings, file: Path) -> list[str]:
    return [str(settings.bin / "keystone-manage"), f"--config-file={file}"]
