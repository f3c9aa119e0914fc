"""Processes of the bed with their memory and CPU time."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.openstack.processes import Processes

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Usage:
    """What the processes of one session take; `memory` is PSS in KiB."""

    processes: int = 0
    memory: int = 0
    seconds: float = 0.0

    def add(self, other: "Usage") -> None:
        """Count another one in."""
        self.processes += other.processes
        self.memory += other.memory
        self.seconds += other.seconds

    def row(self, name: str, pid: str = "") -> str:
        """Write a line of the table."""
        used = f"{self.processes:6d} {self.memory / 1024:9.0f} {self.seconds:9.1f}"
        return f"{name:<24} {pid:>8} {used}"


def sessions() -> dict[int, Usage]:
    """Add up all processes by the session they belong to."""
    found: dict[int, Usage] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        memory = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        usage = Usage(1, memory, (int(fields[11]) + int(fields[12])) / _TICKS)
        found.setdefault(int(fields[3]), Usage()).add(usage)
    return found


def table(processes: Processes) -> list[str]:
    """Write the table, one line a process and a sum a pod."""
    used = sessions()
    sums: dict[str, Usage] = {}
    head = f"{'name':<24} {'pid':>8} {'procs':>6} {'PSS MiB':>9} {'CPU s':>9}"
    lines = [head]
    for name in processes.names():
        pid = processes.pid(name)
        if pid is None:
            lines.append(f"{name:<24} {'dead':>8}")
            continue
        usage = used.get(pid, Usage())
        lines.append(usage.row(name, str(pid)))
        part = name.split("-")[0] if name.startswith("pod") else "shared"
        for key in (part, "total"):
            sums.setdefault(key, Usage()).add(usage)
    if len(lines) == 1:
        return ["the bed is down"]
    return lines + [usage.row(f"= {key}") for key, usage in sorted(sums.items())]
