"""A private MariaDB: own data folder, own port, no durability."""

import getpass
import subprocess
import time
from pathlib import Path

from tests.openstack.processes import Processes
from tests.openstack.progress import BedError
from tests.openstack.settings import MARIADB, PASSWORD, USER, Settings

NAME = "mariadb"


def url(settings: Settings, database: str) -> str:
    """Give the URL by which the services reach a database."""
    place = f"{settings.address}:{settings.port(MARIADB)}"
    return f"mysql+pymysql://{USER}:{PASSWORD}@{place}/{database}?charset=utf8"


def client(settings: Settings, program: str = "mariadb") -> list[str]:
    """Give the command line of a client, with host, port and password."""
    place = ["-h", settings.address, "-P", str(settings.port(MARIADB))]
    return [program, "--no-defaults", *place, f"-u{USER}", f"-p{PASSWORD}"]


def sql(settings: Settings, statement: str) -> list[str]:
    """Run a statement and give its rows; BedError when it fails."""
    done = subprocess.run(
        [*client(settings), "-N", "-B", "-e", statement],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"mariadb: {done.stderr.strip()}"
        raise BedError(message)
    return done.stdout.splitlines()


def start(processes: Processes) -> None:
    """Make the data folder on the first start, then start the server."""
    settings = processes.settings
    data, user = settings.run / "mysql", getpass.getuser()
    if not (data / "mysql").is_dir():
        data.mkdir(parents=True, exist_ok=True)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}"]
        install += ["--skip-test-db", "--auth-root-authentication-method=normal"]
        processes.run(install, log="mariadb-install")
    accounts = settings.run / "mysql-init.sql"
    accounts.write_text(
        f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
    )
    processes.start(
        NAME,
        [
            "/usr/sbin/mariadbd",
            "--no-defaults",
            f"--user={user}",
            f"--datadir={data}",
            f"--socket={settings.run / 'mysql.sock'}",
            f"--port={settings.port(MARIADB)}",
            f"--bind-address={settings.address}",
            f"--pid-file={settings.run / 'mysql.pid'}",
            f"--init-file={accounts}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--max-connections=1000",
            "--innodb-buffer-pool-size=256M",
            "--innodb-log-file-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--character-set-server=utf8mb3",
            "--collation-server=utf8mb3_general_ci",
            f"--log-error={_errors(settings)}",
        ],
        port=settings.port(MARIADB),
    )


def wait(processes: Processes, timeout: float = 90) -> None:
    """Wait until the server answers a statement."""
    end = time.monotonic() + timeout
    while True:
        try:
            sql(processes.settings, "select 1")
        except BedError:
            if time.monotonic() > end or not processes.pid(NAME):
                message = f"mariadb did not start; see {_errors(processes.settings)}"
                raise BedError(message) from None
            time.sleep(0.2)
        else:
            return


def _errors(settings: Settings) -> Path:
    return settings.run / "logs" / "mariadb.err"
