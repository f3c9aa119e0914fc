"""What the machine and its processes have used, read from /proc."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
#: Fields of /proc/stat's first line that are idle time: idle and iowait.
_IDLE = (3, 4)


@dataclass(frozen=True, slots=True)
class Process:
    """One process under test."""

    name: str
    pid: int

    @property
    def cpu(self) -> float:
        """CPU seconds used since it began, its ended children not counted."""
        user, system, *_ = self._times()
        return user + system

    @property
    def cpu_with_ended(self) -> float:
        """CPU seconds used since it began, those of its ended children with it."""
        return sum(self._times())

    @property
    def parent(self) -> int:
        """The process that started it."""
        return int(self._stat()[1])

    @property
    def command(self) -> str:
        """The name of what it runs; empty when it has ended."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _times(self) -> list[float]:
        return [int(field) / _TICKS for field in self._stat()[11:15]]

    def _stat(self) -> list[str]:
        text = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
        # The command may hold spaces and brackets; what follows it does not.
        return text.rpartition(")")[2].split()

    @property
    def peak(self) -> float:
        """The most memory it has held since it began or `forget_peak`, MiB."""
        return self._status("VmHWM")

    @property
    def memory(self) -> float:
        """The memory it holds now, MiB."""
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        """Measure the peak anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, key: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.pid)


class Neighbours:
    """How many cores others keep busy: the machine's use less our own.

    `also`: processes under test that are no children of this one.
    """

    def __init__(self, also: Sequence[Process] = ()) -> None:
        self._roots = [Process("", os.getpid()), *also]
        self._at = time.monotonic()
        self._busy = _busy()
        self._ours = _used_below(self._roots)

    def cores(self) -> float:
        """Say how many cores, on average since the beginning, worked for others."""
        seconds = time.monotonic() - self._at
        return max(0.0, (_busy() - self._busy - _used_below(self._roots) + self._ours) / seconds)


def _busy() -> float:
    """CPU seconds of the whole machine; time stolen by its host counts as others'."""
    fields = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]
    return sum(int(value) for index, value in enumerate(fields) if index not in _IDLE) / _TICKS


def _used_below(roots: Sequence[Process]) -> float:
    """CPU seconds of processes, of their descendants, and of their children that have ended."""
    total = 0.0
    for root in roots:
        total += root.cpu_with_ended
        waiting = children(root.pid)
        while waiting:
            child = waiting.pop()
            waiting += children(child)
            try:
                total += Process("", child).cpu
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total


def children(pid: int) -> list[int]:
    """List the processes that a process has started."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(part) for part in path.read_text(encoding="ascii").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
