"""How results are told: a table, a file of JSON, and what changed since the last run."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.rounds import Middle, Result

_LAST = "last.json"
#: A figure that moved less than this since the last run has not moved.
_MOVED = 0.1


def table(result: Result) -> str:
    """Write a result for people: a line a variant, a line a goal."""
    lines = [f"== {result.bench}"]
    for name, figures in result.variants.items():
        lines.append(f"  {name}")
        lines += [f"    {key:<22} {_middle(middle)}" for key, middle in figures.items()]
    for key, value in result.facts.items():
        lines.append(f"  {key}: {_shown(value)}")
    doubts = result.doubts
    for goal in result.goals:
        sign = "<=" if goal.most else ">="
        verdict = "not judged" if doubts else "met" if goal.met else "MISSED"
        value = f"{_number(goal.value)} {sign} {_number(goal.bound)} {goal.unit}".rstrip()
        lines.append(f"  {verdict:<10} {goal.name:<32} {value}")
    lines += [f"  not judged: {doubt}" for doubt in doubts]
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines)


def document(results: Sequence[Result], command: str) -> dict[str, Any]:
    """Write results for programs."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "command": command,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": sys.version.split()[0],
        "benches": {
            result.bench: {
                **asdict(result),
                "judged": not result.doubts,
                "doubts": result.doubts,
                "goals": [{**asdict(goal), "met": goal.met} for goal in result.goals],
            }
            for result in results
        },
    }


def store(folder: Path, found: dict[str, Any]) -> Path:
    """Keep a run under its date, and each of its benches in what the next is compared with."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found['date'].replace(':', '')}.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    last = previous(folder)
    last.update(found["benches"])
    (folder / _LAST).write_text(json.dumps(last, indent=1), encoding="utf-8")
    return path


def previous(folder: Path) -> dict[str, Any]:
    """Read the last run of each bench."""
    path = folder / _LAST
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def changes(before: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Name what moved since the last run, against bare Envoy where there is one."""
    lines = []
    for bench, entry in found["benches"].items():
        for goal in entry["goals"]:
            was = next(
                (
                    old["value"]
                    for old in before.get(bench, {}).get("goals", ())
                    if old["name"] == goal["name"]
                ),
                None,
            )
            if was and abs(goal["value"] / was - 1) > _MOVED:
                lines.append(
                    f"{bench}: {goal['name']} was {_number(was)}, is {_number(goal['value'])}"
                )
    return lines


def _middle(middle: Middle) -> str:
    return f"{_number(middle.median):>12}  spread {middle.spread:.0%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "".join(f"\n    {_shown(entry)}" for entry in value)
    return str(value)


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], check=False, capture_output=True, text=True
    )
    return done.stdout.strip()
