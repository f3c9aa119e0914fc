"""A private RabbitMQ with one virtual host a pod, and the port mapper it needs."""

import base64
import hashlib
import json
import socket
import time
from pathlib import Path

from tests.openstack.processes import Processes
from tests.openstack.progress import BedError
from tests.openstack.settings import (
    EPMD,
    MAX_PODS,
    PASSWORD,
    RABBITMQ,
    RABBITMQ_NODE,
    USER,
    Settings,
)

NAME = "rabbitmq"
MAPPER = "epmd"
_SALT = b"lab0"


def url(settings: Settings, host: str) -> str:
    """Give the transport URL of one virtual host."""
    return f"rabbit://{USER}:{PASSWORD}@{settings.address}:{settings.port(RABBITMQ)}/{host}"


def _definitions() -> str:
    digest = hashlib.sha256(_SALT + PASSWORD.encode()).digest()
    hosts = [f"pod{number}" for number in range(1, MAX_PODS + 1)] + ["top"]
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    user = {
        "name": USER,
        "password_hash": base64.b64encode(_SALT + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "administrator",
    }
    return json.dumps(
        {
            "users": [user],
            "vhosts": [{"name": host} for host in hosts],
            "permissions": [{"user": USER, "vhost": host, **everything} for host in hosts],
        }
    )


def _configure(settings: Settings, folder: Path) -> None:
    (folder / "home").mkdir(parents=True, exist_ok=True)
    (folder / "definitions.json").write_text(_definitions())
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {settings.address}:{settings.port(RABBITMQ)}\n"
        f"load_definitions = {folder}/definitions.json\n"
        "heartbeat = 60\n"
        "vm_memory_high_watermark.absolute = 1GB\n"
        "disk_free_limit.absolute = 500MB\n"
        "log.console.level = warning\n"
        "log.file.level = warning\n"
    )


def start(processes: Processes) -> None:
    """Start the port mapper and the broker."""
    settings = processes.settings
    folder = settings.run / "rabbit"
    _configure(settings, folder)
    mapper = {
        "ERL_EPMD_PORT": str(settings.port(EPMD)),
        "ERL_EPMD_ADDRESS": settings.address,
        "HOME": str(folder / "home"),
    }
    # A child of ours: left to itself, the broker starts a daemon that nobody stops.
    command = ["/usr/bin/epmd", "-port", str(settings.port(EPMD)), "-address", settings.address]
    if processes.start(MAPPER, command, port=settings.port(EPMD), environment=mapper):
        _wait_for_port(processes, MAPPER, settings.port(EPMD))
    inward = "{" + settings.address.replace(".", ",") + "}"
    processes.start(
        NAME,
        # Not the wrapper in /usr/sbin, which changes the user.
        ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
        port=settings.port(RABBITMQ),
        folder=folder,
        environment={
            **mapper,
            "RABBITMQ_NODENAME": "lab@localhost",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_DIST_PORT": str(settings.port(RABBITMQ_NODE)),
            "RABBITMQ_CONF_ENV_FILE": "/nonexistent",
            # One scheduler and no busy waiting: an idle broker then stays idle.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none "
            f"+sbwtdio none -kernel inet_dist_use_interface {inward}",
        },
    )


def wait(processes: Processes, timeout: float = 90) -> None:
    """Wait until the broker greets: an open port alone is too early."""
    settings = processes.settings
    end = time.monotonic() + timeout
    while not _greets(settings):
        if time.monotonic() > end or not processes.pid(NAME):
            message = f"rabbitmq did not start; see {processes.log(NAME)}"
            raise BedError(message)
        time.sleep(0.2)


def _greets(settings: Settings) -> bool:
    try:
        with socket.create_connection((settings.address, settings.port(RABBITMQ)), 2) as broker:
            broker.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(broker.recv(1))
    except OSError:
        return False


def _wait_for_port(processes: Processes, name: str, port: int, timeout: float = 20) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection((processes.settings.address, port), 1).close()
        except OSError:
            processes.require(name)
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
