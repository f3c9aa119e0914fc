"""Compare two results: what passed in the first one and does not in the second."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One test's outcome, and the line it was read from."""

    state: str
    seconds: float
    line: str

    @property
    def passed(self) -> bool:
        """Whether the test passed."""
        return self.state == "pass"


def read(file: Path) -> dict[str, Row]:
    """Read a result: `state seconds name [# why]` a line."""
    rows = {}
    for line in file.read_text().splitlines():
        words = line.split(None, 3)
        if not line.startswith("#") and len(words) >= 3:
            rows[words[2]] = Row(words[0], float(words[1]), line)
    return rows


def report(base: Path, other: Path) -> int:
    """Print what was lost and won; 1 when anything was lost."""
    before, after = read(base), read(other)
    passed = {name for name, row in before.items() if row.passed}
    passes = {name for name, row in after.items() if row.passed}
    lost, won, both = sorted(passed - passes), sorted(passes - passed), passed & passes
    for name in lost:
        print("LOST", after[name].line if name in after else f"absent       {name}")
    for name in won:
        print("WON ", name)
    took = [sum(rows[name].seconds for name in both) for rows in (before, after)]
    print(
        f"# pass in base {len(passed)}, pass in both {len(both)}, lost {len(lost)}, "
        f"won {len(won)}; seconds in both: {took[0]:.0f} -> {took[1]:.0f}"
    )
    return 1 if lost else 0
