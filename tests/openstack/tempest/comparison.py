"""Compare two results: what passed in the first one and does not in the second."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.openstack.progress import BedError


@dataclass(frozen=True, slots=True)
class Row:
    """One test's outcome, and why it is not `pass`."""

    state: str
    seconds: float
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether the test passed."""
        return self.state == "pass"


ABSENT = Row("absent", 0.0, "was not run")
Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was lost and won, by name."""

    lost: Rows
    #: Lost, and the reason why that is right.
    known: Mapping[str, str]
    won: Collection[str]
    passed: Collection[str]
    seconds: tuple[float, float]


def read(file: Path) -> dict[str, Row]:
    """Read a result: `state seconds name [# why]` a line."""
    rows = {}
    for line in file.read_text().splitlines():
        words, _, why = line.partition("  # ")
        parts = words.split()
        if not line.startswith("#") and len(parts) >= 3:
            # The name of a class whose set-up failed stands in brackets and has a blank in it.
            rows[" ".join(parts[2:])] = Row(parts[0], float(parts[1]), why)
    return rows


def read_known(file: Path) -> dict[str, str]:
    """Read the differences that are right: `name  # reason` a line."""
    known = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition("  # ")
        if not reason.strip():
            message = f"{file}, line {number}: no reason after the name"
            raise BedError(message)
        known[name.strip()] = reason.strip()
    return known


def compare(base: Rows, other: Rows, known: Mapping[str, str]) -> Comparison:
    """Set the second result against the first; a test is known with or without its `[id-…]`."""
    passed = {name for name, row in base.items() if row.passed}
    passes = {name for name, row in other.items() if row.passed}
    reasons = {name: known.get(name, known.get(name.partition("[")[0], "")) for name in passed}
    lost = {name: _outcome(other, name) for name in sorted(passed - passes)}
    both = passed & passes
    return Comparison(
        lost={name: row for name, row in lost.items() if not reasons[name]},
        known={name: reasons[name] for name in lost if reasons[name]},
        won=sorted(passes - passed),
        passed=sorted(both),
        seconds=(
            sum(base[name].seconds for name in both),
            sum(other[name].seconds for name in both),
        ),
    )


def report(found: Comparison) -> int:
    """Print a comparison, the reason beside each name; 1 when anything was lost."""
    for name, reason in found.known.items():
        print(f"KNOWN {name}  # {reason}")
    for name in found.won:
        print(f"WON   {name}")
    for name, row in found.lost.items():
        print(f"LOST  {name}  # {row.state}: {row.why}")
    before, after = found.seconds
    print(
        f"# passed before {len(found.passed) + len(found.lost) + len(found.known)}, "
        f"in both {len(found.passed)}, lost {len(found.lost)}, known {len(found.known)}, "
        f"won {len(found.won)}; seconds in both: {before:.0f} -> {after:.0f}"
    )
    return 1 if found.lost else 0


def _outcome(rows: Rows, name: str) -> Row:
    """Give a test's row; a class whose set-up failed has one row for all its tests."""
    if name in rows:
        return rows[name]
    of_class = f"setUpClass ({name.rpartition('.')[0]})"
    return rows.get(of_class, ABSENT)
