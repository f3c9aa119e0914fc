"""What a run found: how many requests were answered how, and everything that should not be."""

from collections import Counter
from dataclasses import dataclass, field

#: So many are told one by one, the rest is counted.
_TOLD = 200


@dataclass(slots=True)
class Findings:
    """Counts, and what was not expected."""

    answers: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    untold: int = 0

    @property
    def total(self) -> int:
        """How many requests were sent."""
        return self.answers.total()

    @property
    def faults(self) -> int:
        """How much was not as it should be."""
        return len(self.unexpected) + self.untold

    def count(self, what: str) -> None:
        """Count an answer."""
        self.answers[what] += 1

    def fault(self, text: str) -> None:
        """Keep what was not expected."""
        if len(self.unexpected) < _TOLD:
            self.unexpected.append(text)
        else:
            self.untold += 1
