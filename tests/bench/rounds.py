"""Rounds: every variant once a round, so that a noisy moment is noisy for all of them."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.machine import Neighbours, Process

Figures = dict[str, float]

#: The variant all others are set against: Envoy that routes by prefix and does nothing else.
BARE = "bare"
#: Above this the rounds of one variant differ so much that no ratio means anything.
NOISE = 0.25
#: Cores others may keep busy before a run is no measurement.
OTHERS = 0.3


@dataclass(frozen=True, slots=True)
class Variant:
    """Something that is measured once a round."""

    name: str
    measure: Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Middle:
    """The median of the rounds, and how far they lie apart as a share of it."""

    median: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Middle":
        """Summarise."""
        median = statistics.median(values)
        return cls(median, (max(values) - min(values)) / median if median else 0.0)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should reach; `most`: it should not be above `bound` rather than below."""

    name: str
    value: float
    bound: float
    unit: str = ""
    most: bool = True

    @property
    def met(self) -> bool:
        """Whether the value is on the right side."""
        return self.value <= self.bound if self.most else self.value >= self.bound


@dataclass(slots=True)
class Result:
    """What a bench found."""

    bench: str
    #: variant -> figure -> median and spread
    variants: dict[str, dict[str, Middle]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    neighbours: float = 0.0
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def figure(self, variant: str, name: str) -> float:
        """Give a median."""
        return self.variants[variant][name].median

    def ratio(self, variant: str, name: str = "rate", to: str = BARE) -> float:
        """Set one variant's median against another's."""
        return self.figure(variant, name) / self.figure(to, name)

    @property
    def doubts(self) -> list[str]:
        """Say why the run is no measurement; empty when it is one."""
        found = []
        if self.neighbours > OTHERS:
            found.append(f"others kept {self.neighbours:.2f} cores busy, more than {OTHERS}")
        middle = self.variants.get(BARE, {}).get("rate")
        if middle is not None and middle.spread > NOISE:
            found.append(
                f"bare Envoy's rounds lie {middle.spread:.0%} apart, more than {NOISE:.0%}"
            )
        return found


def interleave(
    bench: str, variants: Sequence[Variant], rounds: int, also: Sequence[Process] = ()
) -> Result:
    """Measure each variant once a round; the rounds after the first go the other way about.

    `also`: processes under test that the bench has not started.
    """
    neighbours = Neighbours(also)
    measured: dict[str, list[Figures]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        for variant in variants if number % 2 == 0 else reversed(variants):
            measured[variant.name].append(variant.measure())
    result = Result(bench, neighbours=neighbours.cores())
    for name, figures in measured.items():
        result.variants[name] = summarise(figures)
    return result


def summarise(figures: Sequence[Mapping[str, float]]) -> dict[str, Middle]:
    """Summarise the rounds of one variant figure by figure."""
    return {key: Middle.of([entry[key] for entry in figures]) for key in figures[0]}
