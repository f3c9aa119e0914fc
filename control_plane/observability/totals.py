"""The sum of several processes' metrics, as if there were one."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest

#: Of these the highest counts: each process says it of the same thing.
_HIGHEST = frozenset({"trio2o_owner_cache_entries"})

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Totals:
    """Remembers what each process counted last, so that no counter falls when one ends."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._ended: Sequence[Metric] = ()
        self._counted: dict[int, Sequence[Metric]] = {}

    def count(self, process: int, families: Sequence[Metric]) -> None:
        """Take what a process has counted since it began."""
        self._counted[process] = families

    def end(self, process: int) -> None:
        """Keep what a process had counted when it was last asked: it is gone."""
        families = self._counted.pop(process, ())
        self._ended = add([self._ended, families])

    def exposition(self, own: Iterable[Metric]) -> bytes:
        """Write the sum of all, and of this process, in Prometheus' text format."""
        return generate_latest(_Sum(add([tuple(own), self._ended, *self._counted.values()])))


class _Sum:
    """What the exposition asks for metrics."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def add(processes: Iterable[Sequence[Metric]]) -> Sequence[Metric]:
    """Add metrics up by name and labels; of times at which counting began the first counts."""
    families: dict[str, tuple[Metric, dict[_Key, float]]] = {}
    for process in processes:
        for metric in process:
            fresh = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            _, values = families.setdefault(metric.name, (fresh, {}))
            for sample in metric.samples:
                key = (sample.name, tuple(sample.labels.items()))
                known = values.get(key)
                if known is None:
                    values[key] = sample.value
                elif sample.name.endswith("_created"):
                    values[key] = min(known, sample.value)
                elif metric.name in _HIGHEST:
                    values[key] = max(known, sample.value)
                else:
                    values[key] = known + sample.value
    return [_with(metric, values) for metric, values in families.values()]


def _with(metric: Metric, values: Mapping[_Key, float]) -> Metric:
    for (name, labels), value in values.items():
        metric.add_sample(name, dict(labels), value)
    return metric
