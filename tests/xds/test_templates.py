"""Clusters that are stamped are the clusters that are built."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.model.endpoint import Endpoint
from control_plane.xds import messages as m
from control_plane.xds.clusters import build_cluster
from control_plane.xds.endpoints import assignment, assignment_name
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import CLUSTER, ENDPOINT
from control_plane.xds.templates import cluster_resources

_HOSTS = ("10.0.0.1", "2001:db8::1", "pod.example.org", "a")
OPTIONS = (
    GatewayOptions(),
    GatewayOptions(ca_file="/ca.pem", health_check_interval=0.5, connect_timeout=1.5),
)


def built(name: str, endpoint: Endpoint, options: GatewayOptions) -> list[object]:
    cluster = read_cluster(bytes(build_cluster(name, endpoint, options)))
    if not endpoint.is_address:
        return cluster
    return [*cluster, assignment(assignment_name(name, endpoint), endpoint)]


def stamped(name: str, endpoint: Endpoint, options: GatewayOptions) -> list[object]:
    cluster, *assignments = cluster_resources(name, endpoint, options)
    assert cluster.type_url == CLUSTER
    assert {found.type_url for found in assignments} <= {ENDPOINT}
    return [
        *read_cluster(cluster.body),
        *(m.endpoint.ClusterLoadAssignment.parse(found.body) for found in assignments),
    ]


def read_cluster(body: bytes) -> list[object]:
    """Read it as Envoy does, what is wrapped in it too: the order of fields has no meaning."""
    cluster = m.cluster.Cluster.parse(body)
    if cluster.transport_socket is None or cluster.transport_socket.typed_config is None:
        return [cluster]
    wrapped = cluster.transport_socket.typed_config
    cluster.transport_socket.typed_config = None
    return [cluster, wrapped.unpack()]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("path", ["", "/compute"])
@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_kind_is_stamped_as_it_is_built(
    scheme: str, host: str, path: str, options: GatewayOptions
) -> None:
    for port in (1, 8774, 65535):
        endpoint = Endpoint(scheme, host, port, path)

        found = stamped("Pod1/compute", endpoint, options)

        assert found == built("Pod1/compute", endpoint, options)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text("Pod/é-1", min_size=1),
            st.builds(
                Endpoint,
                st.sampled_from(["http", "https"]),
                st.sampled_from(_HOSTS),
                st.integers(1, 65535),
                st.sampled_from(["", "/a", "/long/path"]),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_nothing_of_one_stamp_is_left_in_the_next(stamps: list[tuple[str, Endpoint]]) -> None:
    for name, endpoint in stamps:
        assert stamped(name, endpoint, OPTIONS[0]) == built(name, endpoint, OPTIONS[0])


def test_equal_clusters_are_equal_bytes() -> None:
    endpoint = Endpoint("https", "pod.example.org", 443)

    first = cluster_resources("Pod1/compute", endpoint, OPTIONS[0])
    cluster_resources("Pod2/image", Endpoint("https", "other.example.org", 1, "/x"), OPTIONS[0])

    assert cluster_resources("Pod1/compute", endpoint, OPTIONS[0]) == first
