"""Answers made of what all pods say: limits, quotas, zones, sums."""

from typing import Any

import pytest

from tests.handlers.two_pods import asked, saying

PROJECT = "/compute/v2.1/os-quota-sets/a1b2"


async def test_a_limit_the_pods_agree_on_is_shown_and_usage_is_added_up() -> None:
    one = {"maxTotalCores": 20, "totalCoresUsed": 3, "maxTotalInstances": -1}
    two = {"maxTotalCores": 20, "totalCoresUsed": 4, "maxTotalInstances": -1}
    envoy = saying({"limits": {"rate": [], "absolute": one}}, {"limits": {"absolute": two}})

    said = await envoy.exchange("GET", "/compute/v2.1/limits?reserved=1")

    assert said.json == {
        "limits": {
            "rate": [],
            "absolute": {"maxTotalCores": 20, "totalCoresUsed": 7, "maxTotalInstances": -1},
        }
    }
    assert asked(envoy, "Pod2") == [("GET", "/v2.1/limits?reserved=1")]


@pytest.mark.parametrize(
    ("one", "two", "shown"), [(20, 10, 10), (-1, 10, 10), (10, -1, 10), (-1, -1, -1), (0, -1, 0)]
)
async def test_where_pods_differ_the_lowest_limit_that_is_one_is_shown(
    one: int, two: int, shown: int
) -> None:
    envoy = saying({"quota_set": {"id": "a1b2", "cores": one}}, {"quota_set": {"cores": two}})

    said = await envoy.exchange("GET", PROJECT)

    assert said.json == {"quota_set": {"id": "a1b2", "cores": shown}}


async def test_quotas_in_detail_have_one_limit_and_the_usage_of_all_pods() -> None:
    def detail(in_use: int, keys: int) -> Any:
        return {
            "quota_set": {
                "id": "a1b2",
                "cores": {"limit": 20, "in_use": in_use, "reserved": 1},
                "key_pairs": {"limit": 100, "in_use": keys, "reserved": 0},
            }
        }

    envoy = saying(detail(2, 3), detail(5, 3))

    said = await envoy.exchange("GET", f"{PROJECT}/detail?user_id=u")

    assert said.json["quota_set"]["cores"] == {"limit": 20, "in_use": 7, "reserved": 2}
    assert said.json["quota_set"]["key_pairs"] == {"limit": 100, "in_use": 3, "reserved": 0}
    assert asked(envoy, "Pod1") == [("GET", "/v2.1/os-quota-sets/a1b2/detail?user_id=u")]


async def test_a_quota_that_only_one_pod_has_is_shown() -> None:
    envoy = saying(
        {"quota_set": {"id": "p", "volumes": 10, "volumes_fast": 3}},
        {"quota_set": {"id": "p", "volumes": 10, "volumes_slow": -1}},
    )

    said = await envoy.exchange("GET", "/volume/v3/os-quota-sets/p")

    assert said.json["quota_set"] == {
        "id": "p",
        "volumes": 10,
        "volumes_fast": 3,
        "volumes_slow": -1,
    }


@pytest.mark.parametrize("rest", ["quotas/a1b2", "quotas/a1b2/default"])
async def test_quotas_of_networks_follow_the_same_rule(rest: str) -> None:
    envoy = saying({"quota": {"network": 100, "port": -1}}, {"quota": {"network": 90, "port": 5}})

    said = await envoy.exchange("GET", f"/network/v2.0/{rest}")

    assert said.json == {"quota": {"network": 90, "port": 5}}


async def test_quotas_of_networks_in_detail_add_up_what_is_used() -> None:
    def detail(used: int) -> Any:
        return {"quota": {"network": {"limit": 100, "used": used, "reserved": 0}}}

    said = await saying(detail(1), detail(2)).exchange("GET", "/network/v2.0/quotas/a1b2/details")

    assert said.json == {"quota": {"network": {"limit": 100, "used": 3, "reserved": 0}}}


async def test_a_pod_that_does_not_answer_is_named_by_its_zone() -> None:
    envoy = saying(None, {"quota_set": {"id": "a1b2", "cores": 20}})

    said = await envoy.exchange("GET", PROJECT)

    assert said.headers["x-trio2o-missing"] == "az1"
    assert said.json["quota_set"]["cores"] == 20


async def test_a_refusal_of_one_pod_is_the_answer_in_its_words() -> None:
    no = {"badRequest": {"code": 400, "message": "The zone inner2 is not known in Pod2."}}
    envoy = saying({"quota_set": {"id": "a1b2"}}, (400, no))

    said = await envoy.exchange("GET", PROJECT)

    assert said.status == 400
    assert said.json["badRequest"]["message"] == "The zone az2 is not known in az2."


async def test_no_pod_that_answers_is_503_in_the_services_form() -> None:
    said = await saying(None, (500, {})).exchange("GET", PROJECT)

    assert said.status == 503
    assert said.json["serviceUnavailable"]["code"] == 503


async def test_an_answer_that_is_no_object_is_502() -> None:
    said = await saying([1], {"quota_set": {}}).exchange("GET", PROJECT)

    assert said.status == 502


async def test_statistics_are_added_up() -> None:
    one = {"hypervisor_statistics": {"count": 2, "vcpus": 8, "disk_available_least": None}}
    two = {"hypervisor_statistics": {"count": 1, "vcpus": 4, "disk_available_least": 5}}

    said = await saying(one, two).exchange(
        "GET", "/compute/v2.1/os-hypervisors/statistics", token="admin"
    )

    assert said.json == {
        "hypervisor_statistics": {"count": 3, "vcpus": 12, "disk_available_least": 5}
    }


async def test_the_summary_of_volumes_has_the_values_of_all_pods() -> None:
    one = {"total_count": 1, "total_size": 2, "metadata": {"a": ["x", "y"], "b": ["1"]}}
    two = {"total_count": 3, "total_size": 4, "metadata": {"a": ["y", "z"]}}
    envoy = saying({"volume-summary": one}, {"volume-summary": two})

    said = await envoy.exchange(
        "GET", "/volume/v3/volumes/summary", openstack_api_version="volume 3.36"
    )

    assert said.json == {
        "volume-summary": {
            "total_count": 4,
            "total_size": 6,
            "metadata": {"a": ["x", "y", "z"], "b": ["1"]},
        }
    }


async def test_only_filters_that_all_pods_know_are_offered() -> None:
    def offer(**filters: list[str]) -> Any:
        entries = [{"resource": name, "filters": words} for name, words in filters.items()]
        return {"resource_filters": entries}

    envoy = saying(
        offer(volume=["name", "status", "new"], group=["name"], old=["x"]),
        offer(volume=["status", "name"], group=["name"]),
    )

    said = await envoy.exchange(
        "GET", "/volume/v3/resource_filters", openstack_api_version="volume 3.33"
    )

    assert said.json == offer(volume=["name", "status"], group=["name"])


async def test_zones_are_the_users_and_hosts_have_their_pods() -> None:
    def zones(number: int, *, available: bool) -> Any:
        hosts = {"same": {"nova-compute": {"available": True}}}
        return {
            "availabilityZoneInfo": [
                {
                    "zoneName": f"inner{number}",
                    "zoneState": {"available": available},
                    "hosts": hosts,
                },
                {"zoneName": "internal", "zoneState": {"available": True}, "hosts": hosts},
            ]
        }

    envoy = saying(zones(1, available=True), zones(2, available=False))

    said = await envoy.exchange("GET", "/compute/v2.1/os-availability-zone/detail", token="admin")

    shown = {entry["zoneName"]: entry for entry in said.json["availabilityZoneInfo"]}
    assert list(shown) == ["az1", "az2", "internal"]
    assert shown["az1"]["zoneState"] == {"available": True}
    assert shown["az2"]["zoneState"] == {"available": False}
    assert list(shown["internal"]["hosts"]) == ["Pod1~same", "Pod2~same"]


async def test_logs_of_audits_are_merged_and_hosts_have_their_pods() -> None:
    def log(done: int, errors: int) -> Any:
        return {
            "instance_usage_audit_logs": {
                "period_beginning": "2026-01-01 00:00:00",
                "num_hosts": 2,
                "num_hosts_done": done,
                "hosts_not_run": ["b"],
                "total_errors": errors,
                "overall_status": "said by one",
                "log": {"a": {"state": "DONE", "message": ""}},
            }
        }

    said = await saying(log(2, 1), log(1, 0)).exchange(
        "GET", "/compute/v2.1/os-instance_usage_audit_log", token="admin"
    )

    assert said.json == {
        "instance_usage_audit_logs": {
            "period_beginning": "2026-01-01 00:00:00",
            "num_hosts": 4,
            "num_hosts_done": 3,
            "hosts_not_run": ["Pod1~b", "Pod2~b"],
            "total_errors": 1,
            "overall_status": "3 of 4 hosts done. 1 errors.",
            "log": {
                "Pod1~a": {"state": "DONE", "message": ""},
                "Pod2~a": {"state": "DONE", "message": ""},
            },
        }
    }
