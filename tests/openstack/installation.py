"""What the bed needs on the machine: Debian packages and a virtual environment of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.openstack.processes import Processes
from tests.openstack.progress import BedError, say
from tests.openstack.settings import Settings

_HERE = Path(__file__).parent
#: The versions of everything that is installed with pip.
CONSTRAINTS = _HERE / "constraints.txt"
_PACKAGES = {
    "mariadb-server": "/usr/sbin/mariadbd",
    "rabbitmq-server": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "memcached": "/usr/bin/memcached",
    "qemu-utils": "/usr/bin/qemu-img",
    # No pod's: the tests of the product's own database run over it.
    "postgresql": "/usr/lib/postgresql",
}
#: Where a driver of the bed gets a module of its own beside those of the service.
_PLACES = {
    "nova/virt": "virt import LabDriver",
    "cinder/backup/drivers": "backup import NullBackupDriver",
}
_GUARD = Path("/usr/sbin/policy-rc.d")
_LISTS = Path("/var/lib/apt/lists")
_DAY = 86400


def install(settings: Settings) -> None:
    """Install what is missing; quick when nothing is."""
    settings.base.mkdir(parents=True, exist_ok=True)
    processes = Processes(settings)
    missing = [name for name, file in _PACKAGES.items() if not Path(file).exists()]
    if missing:
        install_packages(missing, processes)
    _install_services(settings, processes)
    _install_drivers(settings, processes)


def install_packages(names: Sequence[str], processes: Processes) -> None:
    """Install Debian packages without starting what they bring."""
    root = _as_root()
    if shutil.which("apt-get") is None:
        message = f"apt-get is missing: install {' '.join(names)} by other means"
        raise BedError(message)
    say(f"installing {' '.join(names)}")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    wanted = [*apt, "install", "-y", "--no-install-recommends", *names]
    with _no_system_services(root):
        fresh = _lists_are_fresh()
        if not fresh:
            processes.run([*apt, "update"], log="apt")
        try:
            processes.run(wanted, log="apt")
        except BedError:
            if not fresh:
                raise
            processes.run([*apt, "update"], log="apt")
            processes.run(wanted, log="apt")


def make_environment(settings: Settings, folder: Path, processes: Processes) -> None:
    """Make an empty virtual environment, unless it is there."""
    if (folder / "bin/pip").exists():
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - run by any Python, before pip has a say
        message = f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed"
        raise BedError(message)
    try:
        processes.run([settings.python, "-m", "venv", "--clear", folder], log="venv")
    except BedError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        message = f"no virtual environment: apt-get install python{version}-venv ({error})"
        raise BedError(message) from None


def _install_services(settings: Settings, processes: Processes) -> None:
    requirements = _HERE / "requirements.txt"
    stamp = settings.venv / ".lab-requirements"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return
    say(f"installing the services into {settings.venv} (a minute or more)")
    make_environment(settings, settings.venv, processes)
    pip = [settings.bin / "python", "-m", "pip", "install", "-q"]
    processes.run([*pip, "-U", "pip", "setuptools", "wheel"], log="pip")
    processes.run([*pip, "-r", requirements, "-c", CONSTRAINTS], log="pip")
    stamp.write_bytes(requirements.read_bytes())
    say("services installed")


def _install_drivers(settings: Settings, processes: Processes) -> None:
    source = _HERE / "drivers"
    code = [*sorted(source.glob("*/*.py")), source / "pyproject.toml"]
    texts = [*(path.read_bytes() for path in code), repr(_PLACES).encode()]
    digest = hashlib.sha256(b"".join(texts)).hexdigest()
    stamp = settings.venv / ".lab-drivers"
    if stamp.exists() and stamp.read_text() == digest:
        return
    # A copy, since a build leaves files beside the source.
    copy = settings.base / "drivers"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy)
    pip = [settings.bin / "python", "-m", "pip", "install", "-q"]
    processes.run([*pip, "--no-deps", "--force-reinstall", copy], log="pip")
    # nova loads drivers of hypervisors only from below nova.virt, and tempest believes in drivers
    # of backups only below cinder.backup.drivers.
    [packages] = (settings.venv / "lib").glob("python3*/site-packages")
    for place, name in _PLACES.items():
        (packages / place / "lab.py").write_text(f"from labdrivers.{name}  # noqa: F401\n")
    stamp.write_text(digest)
    say("drivers of the bed installed")


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        message = "packages are missing and neither root nor sudo is at hand"
        raise BedError(message)
    if not sys.stdin.isatty() and subprocess.run(["sudo", "-n", "true"], check=False).returncode:
        message = "packages are missing and sudo asks for a password: run once at a terminal"
        raise BedError(message)
    return ["sudo"]


def _lists_are_fresh() -> bool:
    found = [path.stat().st_mtime for path in _LISTS.glob("*Packages*")]
    return bool(found) and time.time() - max(found) < 7 * _DAY


@contextmanager
def _no_system_services(root: Sequence[str]) -> Iterator[None]:
    """Keep packages from starting instances of the system; nobody else's guard is touched."""
    if _GUARD.exists():
        yield
        return
    text = b"#!/bin/sh\nexit 101\n"
    subprocess.run([*root, "tee", str(_GUARD)], input=text, stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*root, "chmod", "755", str(_GUARD)], check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(_GUARD)], check=True)
