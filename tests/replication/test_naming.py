"""Which copies are the same thing."""

from hypothesis import given
from hypothesis import strategies as st

from control_plane.model.copy import USERS, Copy
from control_plane.replication.naming import matched


def _ids(rows: list[Copy]) -> dict[tuple[str, str], str]:
    return {(row.pod, row.pod_id): row.user_id for row in rows if row.pod != USERS}


def _find(*listings: tuple[str, dict[str, str]], known: list[Copy] | None = None) -> list[Copy]:
    return matched("volume_type", known or [], dict(listings))


def test_copies_of_one_name_have_the_id_of_the_first_pod() -> None:
    rows = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold", "c": "tin"}))

    assert _ids(rows) == {("Pod1", "a"): "a", ("Pod2", "b"): "a", ("Pod2", "c"): "c"}
    assert {row.user_id: row.name for row in rows if row.pod == USERS} == {"a": "gold", "c": "tin"}


def test_an_id_stays_when_the_first_pod_comes_back() -> None:
    known = _find(("Pod2", {"b": "gold"}))

    rows = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold"}), known=known)

    assert _ids(rows) == {("Pod1", "a"): "b", ("Pod2", "b"): "b"}


def test_a_pod_that_does_not_answer_keeps_its_copies() -> None:
    known = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold"}))

    rows = _find(("Pod2", {"b": "gold"}), known=known)

    assert _ids(rows) == {("Pod1", "a"): "a", ("Pod2", "b"): "a"}


def test_what_is_not_listed_any_more_is_dropped_and_the_others_keep_the_id() -> None:
    known = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold"}))

    rows = _find(("Pod1", {}), ("Pod2", {"b": "gold"}), known=known)
    none = _find(("Pod1", {}), ("Pod2", {}), known=rows)

    assert _ids(rows) == {("Pod2", "b"): "a"}
    assert none == []


def test_a_renamed_thing_keeps_its_id_and_its_old_name_may_be_used_anew() -> None:
    known = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold"}))

    rows = _find(
        ("Pod1", {"a": "tin", "c": "gold"}), ("Pod2", {"b": "tin", "d": "gold"}), known=known
    )

    assert _ids(rows) == {
        ("Pod1", "a"): "a",
        ("Pod1", "c"): "c",
        ("Pod2", "b"): "a",
        ("Pod2", "d"): "c",
    }


def test_pods_that_invent_the_same_id_have_one_thing() -> None:
    rows = _find(("Pod1", {"a": "__DEFAULT__"}), ("Pod2", {"a": "__DEFAULT__"}))

    assert _ids(rows) == {("Pod1", "a"): "a", ("Pod2", "a"): "a"}


def test_pods_that_give_one_id_to_different_things_have_two() -> None:
    rows = _find(("Pod1", {"a": "gold"}), ("Pod2", {"b": "gold", "a": "tin"}))

    ids = _ids(rows)
    assert (ids["Pod1", "a"], ids["Pod2", "b"]) == ("a", "a")
    assert ids["Pod2", "a"] not in {"a", "b"}


def test_what_was_learnt_while_pods_were_asked_is_kept() -> None:
    known = _find(("Pod1", {"a": "gold"}))

    rows = matched("volume_type", known, {"Pod1": {}}, [("Pod1", "a")])

    assert _ids(rows) == {("Pod1", "a"): "a"}


_LISTINGS = st.dictionaries(
    st.sampled_from(["Pod1", "Pod2", "Pod3"]),
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=2), st.sampled_from(["gold", "tin", "iron"])
    ).map(lambda found: {key: name for name, key in {n: k for k, n in found.items()}.items()}),
)


@given(st.lists(_LISTINGS, max_size=4))
def test_whatever_pods_list_ids_are_unambiguous_and_nothing_changes_twice(
    rounds: list[dict[str, dict[str, str]]],
) -> None:
    rows: list[Copy] = []
    for listings in rounds:
        rows = matched("volume_type", rows, listings)
        again = matched("volume_type", rows, listings)

        assert set(again) == set(rows)
        assert len({(row.pod, row.pod_id) for row in rows}) == len(rows)
        assert len({(row.pod, row.name) for row in rows}) == len(rows)
        copies = [(row.pod, row.user_id) for row in rows if row.pod != USERS]
        assert len(set(copies)) == len(copies)
        for pod, listing in listings.items():
            assert set(listing) == {row.pod_id for row in rows if row.pod == pod}
