"""What operators' monitoring reads."""

from control_plane.observability.metrics import Metrics


def test_requests_are_counted_by_kind_service_and_result() -> None:
    metrics = Metrics()

    metrics.request("route", "compute", "owner", 0.002)
    metrics.request("route", "compute", "owner", 0.002)
    metrics.request("schedule", "volume", "400", 0.002)

    text = metrics.exposition().decode()
    assert 'trio2o_requests_total{kind="route",result="owner",service="compute"} 2.0' in text
    assert 'trio2o_requests_total{kind="schedule",result="400",service="volume"} 1.0' in text
    assert 'trio2o_decision_seconds_count{kind="route",service="compute"} 2.0' in text


def test_a_snapshot_shows_its_versions_and_forgets_those_before() -> None:
    metrics = Metrics()

    metrics.published(1.0, {"Cluster": 10}, {"Cluster": "aa"})
    metrics.published(2.0, {"Cluster": 11}, {"Cluster": "bb"})

    text = metrics.exposition().decode()
    assert 'trio2o_xds_version_info{type="Cluster",version="bb"} 1.0' in text
    assert 'version="aa"' not in text
    assert 'trio2o_xds_resources{type="Cluster"} 11.0' in text


def test_every_metric_has_the_one_prefix() -> None:
    metrics = Metrics()
    metrics.looked_up("memory")
    metrics.pod_error("Pod1", "gone")
    metrics.refused("Cluster")
    metrics.pods({"enabled": 2})
    metrics.nodes({("Cluster", "SYNCED"): 1})

    names = [
        line.split("{")[0].split(" ")[0]
        for line in metrics.exposition().decode().splitlines()
        if not line.startswith("#")
    ]
    assert names
    assert all(name.startswith("trio2o_") for name in names)
