"""A throwaway PostgreSQL for one test run: own data folder, no durability."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.envoy_process import free_port

#: Debian puts a server's programs beside its version, not on PATH.
_INSTALLED = "/usr/lib/postgresql"


def programs() -> Path | None:
    """Find the newest server's folder of programs; None when there is no server."""
    found = sorted(Path(_INSTALLED).glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    return found[-1].parent if found else None


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start a server and give its URL; it ends with the block."""
    # The server refuses to be root's; the package has brought a user for it.
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    as_user = ["runuser", "-u", user.pw_name, "--"] if os.getuid() == 0 else []
    # pytest's own folders are closed to other users.
    data = Path(tempfile.mkdtemp(prefix="trio2o-postgresql-"))
    os.chown(data, user.pw_uid, user.pw_gid)
    port = free_port()

    def run(*command: str) -> None:
        done = subprocess.run(
            [*as_user, *command], cwd=data, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    try:
        run(f"{folder}/initdb", "-D", f"{data}/db", "-U", "trio2o", "--auth=trust", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {data} -c fsync=off"
        run(
            f"{folder}/pg_ctl",
            "-D",
            f"{data}/db",
            "-w",
            "-l",
            f"{data}/log",
            "-o",
            options,
            "start",
        )
        try:
            yield f"postgresql://trio2o@127.0.0.1:{port}/postgres"
        finally:
            run(f"{folder}/pg_ctl", "-D", f"{data}/db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(data, ignore_errors=True)
