"""The test bed's processes, which a bench has not started and yet measures."""

from dataclasses import replace

from tests.bench.machine import Process
from tests.openstack.processes import Processes
from tests.openstack.settings import Settings


def under_test(settings: Settings) -> list[Process]:
    """List what the test bed and the demo have started."""
    beds = [Processes(settings), Processes(replace(settings, run=settings.base / "demo"))]
    pids = [bed.pid(name) for bed in beds for name in bed.names()]
    return [Process(str(pid), pid) for pid in pids if pid is not None]
