from collections.abc import Sequence

from prometheus_client import Metric

from control_plane.observability.metrics import Metrics
from control_plane.observability.totals import Totals


def counted(times: int) -> Sequence[Metric]:
    metrics = Metrics()
    for _ in range(times):
        metrics.request("route", "compute", "memory", 0.02)
    return list(metrics.registry.collect())


def shown(totals: Totals, own: Sequence[Metric]) -> str:
    return totals.exposition(own).decode()


LINE = 'trio2o_requests_total{kind="route",result="memory",service="compute"}'


def test_processes_are_shown_as_one() -> None:
    totals = Totals()

    totals.count(1, counted(2))
    totals.count(2, counted(3))

    text = shown(totals, counted(1))
    assert f"{LINE} 6.0" in text
    assert 'trio2o_decision_seconds_bucket{kind="route",le="0.025",service="compute"} 6.0' in text
    assert text.count("# TYPE trio2o_requests_total counter") == 1


def test_a_process_is_counted_once_however_often_it_is_asked() -> None:
    totals = Totals()

    totals.count(1, counted(2))
    totals.count(1, counted(3))

    assert f"{LINE} 3.0" in shown(totals, [])


def test_no_counter_falls_when_a_process_ends() -> None:
    totals = Totals()
    totals.count(1, counted(2))

    totals.end(1)
    totals.count(2, counted(1))

    assert f"{LINE} 3.0" in shown(totals, [])


def test_the_time_counting_began_is_no_sum() -> None:
    totals = Totals()
    own = counted(1)
    totals.count(1, counted(1))

    began = [s.value for metric in own for s in metric.samples if s.name.endswith("_created")]
    lines = [line for line in shown(totals, own).splitlines() if "requests_created{" in line]

    assert float(lines[0].rpartition(" ")[2]) == min(began)


def test_the_size_of_the_owner_cache_is_no_sum() -> None:
    totals = Totals()
    for process, entries in enumerate((40, 70, 60)):
        metrics = Metrics()
        metrics.cached(entries)
        totals.count(process, list(metrics.registry.collect()))

    assert "trio2o_owner_cache_entries 70.0" in shown(totals, [])
