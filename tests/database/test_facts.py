"""Facts in the database."""

from control_plane.database import Store


async def test_the_last_fact_counts(store: Store) -> None:
    await store.put_fact("Pod1", "versions", {"compute": ["2.1", "2.96"]})
    await store.put_fact("Pod1", "versions", {"compute": ["2.1", "2.100"]})
    await store.put_fact("Pod1", "reachable", value=True)
    await store.put_fact("Pod2", "versions", {})

    found = await store.facts("Pod1")

    assert found == {"versions": {"compute": ["2.1", "2.100"]}, "reachable": True}


async def test_a_pod_nobody_asked_has_no_facts(store: Store) -> None:
    assert await store.facts("Pod1") == {}


async def test_facts_of_many_pods_are_read_at_once(store: Store) -> None:
    await store.put_fact("Pod1", "definitions", {})
    await store.put_fact("Pod1", "versions", {"compute": ["2.1", "2.96"]})
    await store.put_fact("Pod2", "versions", {})

    found = await store.facts_of(["Pod1", "Pod2", "Pod3"])

    assert found == {
        "Pod1": {"definitions": {}, "versions": {"compute": ["2.1", "2.96"]}},
        "Pod2": {"versions": {}},
    }
    assert await store.facts_of(["Pod2"]) == {"Pod2": {"versions": {}}}
    assert await store.pods_with_fact("definitions") == {"Pod1"}


async def test_one_fact_is_read_of_all_pods_in_the_order_in_which_they_got_it(store: Store) -> None:
    for pod in ("Pod2", "Pod1"):
        await store.put_fact(pod, "definitions", {"of": pod})
    await store.put_fact("Pod3", "versions", {})

    found = await store.each_with_fact("definitions")

    assert {pod: value for pod, (value, _) in found.items()} == {
        pod: {"of": pod} for pod in ("Pod1", "Pod2")
    }
    assert found["Pod2"][1] <= found["Pod1"][1]
