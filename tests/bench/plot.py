"""One picture of a run: each goal's value as a share of its bound."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

mpl.use("svg")
_MET, _MISSED, _DOUBTED = "#2a7f3f", "#b8332a", "#8a8a8a"


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw a bar a goal; what reaches the line is met, whichever way its goal goes."""
    bars = []
    for bench, entry in found["benches"].items():
        for goal in entry["goals"]:
            over, under = (goal["bound"], goal["value"])[:: 1 if goal["most"] else -1]
            # What should not happen at all has no share: it reaches the line or does not.
            share = over / under if over and under else 1.0 if goal["met"] else 0.01
            colour = _DOUBTED if entry["doubts"] else _MET if goal["met"] else _MISSED
            bars.append((f"{bench}: {goal['name']}", share, colour, f"{goal['value']:.3g}"))
    bars.reverse()
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.34 * len(bars)))
    places = range(len(bars))
    axes.barh(places, [bar[1] for bar in bars], color=[bar[2] for bar in bars])
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(places, [bar[0] for bar in bars])
    axes.set_xscale("log")
    axes.set_xlabel("share of the goal (right of the line: met; grey: too noisy to judge)")
    for place, bar in zip(places, bars, strict=True):
        axes.text(bar[1], place, f" {bar[3]}", va="center", fontsize=8)
    axes.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
