"""A private memcached, for Keystone and for the services' cache of tokens."""

import getpass

from tests.openstack.processes import Processes
from tests.openstack.settings import MEMCACHED

NAME = "memcached"


def start(processes: Processes) -> None:
    """Start it; it answers at once."""
    settings = processes.settings
    port = settings.port(MEMCACHED)
    command = ["/usr/bin/memcached", "-u", getpass.getuser(), "-l", settings.address]
    command += ["-p", str(port), "-U", "0", "-m", "64", "-t", "1", "-c", "4096"]
    processes.start(NAME, command, port=port)
