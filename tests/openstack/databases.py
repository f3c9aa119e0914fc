"""Databases of the services: every migration runs once, later pods only load the dumps."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.openstack.backing import mariadb
from tests.openstack.processes import Processes
from tests.openstack.progress import say
from tests.openstack.services import cinder, glance, keystone, neutron, nova, placement
from tests.openstack.settings import Settings

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def templates(processes: Processes) -> Path:
    """Give the folder of dumps, built first where they are missing."""
    settings = processes.settings
    # Other releases have other schemas, so the folder is named after the pins.
    tag = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = settings.base / "templates" / tag
    folder.mkdir(parents=True, exist_ok=True)
    jobs = _jobs(settings)
    missing = [name for name in jobs if not (folder / f"{name}.sql").exists()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: _build(processes, folder, name, jobs[name]), missing))
    return folder


def load(processes: Processes, folder: Path, template: str, database: str) -> None:
    """Make a database from a dump, unless it has tables."""
    settings = processes.settings
    tables = f"select 1 from information_schema.tables where table_schema='{database}' limit 1"
    if mariadb.sql(settings, tables):
        return
    mariadb.sql(settings, f"create database if not exists {database}")
    with (folder / f"{template}.sql").open("rb") as dump:
        processes.run([*mariadb.client(settings), database], stdin=dump, log="dbload")


def _jobs(settings: Settings) -> dict[str, Sequence[str]]:
    etc = settings.etc / "template"
    # The longest first, so that two side by side end together.
    return {
        **neutron.schemas(settings, etc),
        **nova.schemas(settings, etc),
        **cinder.schemas(settings, etc),
        **glance.schemas(settings, etc),
        **keystone.schemas(settings, etc),
        **placement.schemas(settings, etc),
    }


def _build(processes: Processes, folder: Path, name: str, migrate: Sequence[str]) -> None:
    settings, started = processes.settings, time.monotonic()
    database, log = f"tmpl_{name}", f"dbsync-{name}"
    mariadb.sql(settings, f"drop database if exists {database}; create database {database}")
    processes.run(migrate, log=log)
    unfinished = folder / f"{name}.tmp"
    with unfinished.open("wb") as dump:
        command = [*mariadb.client(settings, "mariadb-dump"), "--skip-comments", database]
        processes.run(command, stdout=dump, log=log)
    mariadb.sql(settings, f"drop database {database}")
    unfinished.rename(folder / f"{name}.sql")
    say(f"schema of {name} built in {time.monotonic() - started:.0f} s")
