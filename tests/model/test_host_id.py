"""`hostId` as users see it."""

from hashlib import sha224

from hypothesis import given
from hypothesis import strategies as st

from control_plane.model.host_id import shown_host_id

IDS = st.binary(max_size=40).map(lambda text: sha224(text).hexdigest())


@given(IDS)
def test_equal_hosts_of_two_pods_differ(host_id: str) -> None:
    assert shown_host_id("Pod1", host_id) != shown_host_id("Pod2", host_id)


@given(IDS, IDS)
def test_hosts_of_one_pod_are_equal_where_they_were(one: str, other: str) -> None:
    assert (shown_host_id("Pod1", one) == shown_host_id("Pod1", other)) == (one == other)


@given(IDS)
def test_it_keeps_its_form(host_id: str) -> None:
    shown = shown_host_id("Pod1", host_id)

    assert len(shown) == 56
    assert int(shown, 16) >= 0


def test_a_server_that_is_nowhere_has_none() -> None:
    assert shown_host_id("Pod1", "") == ""


def test_what_is_no_hash_stays() -> None:
    assert shown_host_id("Pod1", "z" * 56) == "z" * 56
