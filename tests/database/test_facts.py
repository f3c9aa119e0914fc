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
