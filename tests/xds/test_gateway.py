import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod, PodState
from control_plane.services.service import FaultForm
from control_plane.xds import messages as m
from control_plane.xds.faults import fault_body
from control_plane.xds.filters import OWNER_CACHE, ingress_filters, names_but
from control_plane.xds.gateway import NO_CACHE, Configuration, OwnerCache, build
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, Resource
from control_plane.xds.snapshot import Snapshot
from control_plane.xds.templates import cluster_resources

OPTIONS = GatewayOptions()
HTTP = Endpoint.parse("http://10.0.0.1:8774/v2.1")


def fleet(**states: PodState) -> Fleet:
    return Fleet.of(Pod(name, name, "az1", state=state) for name, state in states.items())


def snapshot(options: GatewayOptions = OPTIONS, cache: OwnerCache = NO_CACHE) -> Snapshot:
    return build(options, fleet(Pod1=PodState.ENABLED), {"Pod1": {"compute": HTTP}}, cache)


def cluster(url: str) -> tuple[m.cluster.Cluster, tuple[Resource, ...]]:
    resources = cluster_resources("Pod1/compute", Endpoint.parse(url), OPTIONS)
    return m.cluster.Cluster.parse(resources[0].body), resources


def test_a_snapshot_of_the_gateway_is_consistent() -> None:
    found = snapshot()

    found.check()

    assert set(found.of_type(LISTENER)) == set(found.of_type(ROUTE)) == {"ingress", "egress"}
    assert set(found.of_type(CLUSTER)) == {"Pod1/compute"}
    assert set(found.of_type(ENDPOINT)) == {"Pod1/compute@10.0.0.1:8774"}


def test_a_gateway_without_pods_is_consistent() -> None:
    build(OPTIONS, Fleet(), {}).check()


def test_disabled_and_unknown_pods_have_no_cluster() -> None:
    states = {"On": PodState.ENABLED, "Cordoned": PodState.CORDONED, "Off": PodState.DISABLED}
    endpoints = {pod: {"compute": HTTP} for pod in (*states, "Unknown")}

    found = build(OPTIONS, fleet(**states), endpoints)

    assert set(found.of_type(CLUSTER)) == {"Cordoned/compute", "On/compute"}


def test_one_more_pod_leaves_the_resources_of_the_others_as_they_are() -> None:
    configuration = Configuration()
    first = configuration.build(OPTIONS, fleet(Pod1=PodState.ENABLED), {"Pod1": {"compute": HTTP}})
    endpoints = {"Pod1": {"compute": dataclasses.replace(HTTP)}, "Pod2": {"image": HTTP}}
    states = {"Pod1": PodState.ENABLED, "Pod2": PodState.ENABLED}

    second = configuration.build(OPTIONS, fleet(**states), endpoints)

    assert {url: names for url, names in second.differences(first).items() if names} == {
        CLUSTER: {"Pod2/image"},
        ENDPOINT: {"Pod2/image@10.0.0.1:8774"},
    }


def test_nothing_changed_is_the_same_snapshot() -> None:
    configuration = Configuration()
    pods, endpoints = fleet(Pod1=PodState.ENABLED), {"Pod1": {"compute": HTTP}}

    first = configuration.build(OPTIONS, pods, endpoints)

    assert configuration.build(dataclasses.replace(OPTIONS), pods, endpoints) is first


_STATES = st.dictionaries(
    st.sampled_from(["A", "B", "C"]), st.sampled_from([PodState.ENABLED, PodState.DISABLED])
)
_PLACES = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.dictionaries(
        st.sampled_from(["compute", "image"]),
        st.sampled_from([HTTP, Endpoint("https", "pod.example.org", 443)]),
    ),
)


@settings(deadline=None)
@given(st.lists(st.tuples(_STATES, _PLACES), max_size=6))
def test_however_a_snapshot_came_about_it_is_what_one_from_nothing_is(
    steps: list[tuple[dict[str, PodState], dict[str, dict[str, Endpoint]]]],
) -> None:
    configuration = Configuration()
    for states, endpoints in steps:
        found = configuration.build(OPTIONS, fleet(**states), endpoints)

        expected = build(OPTIONS, fleet(**states), endpoints)
        assert found.versions == expected.versions
        assert found.resources == expected.resources
        found.check()


def test_a_new_address_changes_the_assignment_only() -> None:
    moved = {"Pod1": {"compute": dataclasses.replace(HTTP, port=9999)}}
    before = dataclasses.replace(OPTIONS)

    first = build(before, fleet(Pod1=PodState.ENABLED), {"Pod1": {"compute": HTTP}})
    second = build(before, fleet(Pod1=PodState.ENABLED), moved)

    changed = {url for url in first.versions if first.versions[url] != second.versions[url]}
    # The cluster too: its health check names the host and port.
    assert changed == {CLUSTER, ENDPOINT}


def test_addresses_come_by_eds_and_names_by_dns() -> None:
    by_address, resources = cluster("http://10.0.0.1:8774")
    by_name, alone = cluster("http://nova.example.org:8774")

    assert by_address.type == m.cluster.ClusterDiscoveryType.EDS
    assert resources[0].refers == {(ENDPOINT, "Pod1/compute@10.0.0.1:8774")}
    assert by_name.type == m.cluster.ClusterDiscoveryType.STRICT_DNS
    assert by_name.load_assignment is not None
    assert len(alone) == 1


def test_https_is_verified_against_the_name() -> None:
    found, _ = cluster("https://nova.example.org/compute/v2.1")

    assert found.transport_socket is not None
    assert found.transport_socket.typed_config is not None
    context = found.transport_socket.typed_config.unpack()
    assert isinstance(context, m.tls.UpstreamTlsContext)
    assert context.sni == "nova.example.org"
    assert context.common_tls_context is not None
    validation = context.common_tls_context.validation_context
    assert validation is not None
    assert validation.trusted_ca is not None
    assert [
        san.matcher.exact for san in validation.match_typed_subject_alt_names if san.matcher
    ] == ["nova.example.org"]


def test_an_https_address_has_no_server_name() -> None:
    found, _ = cluster("https://10.0.0.1")

    assert found.transport_socket is not None
    assert found.transport_socket.typed_config is not None
    context = found.transport_socket.typed_config.unpack()
    assert isinstance(context, m.tls.UpstreamTlsContext)
    assert context.sni == ""


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("http://10.0.0.1:8774/v2.1", "10.0.0.1:8774", "/"),
        ("http://pod.example.org/compute/v2.1", "pod.example.org:80", "/compute/"),
        ("http://[2001:db8::1]:9696", "[2001:db8::1]:9696", "/"),
    ],
)
def test_health_is_asked_at_the_root_of_the_service(url: str, host: str, path: str) -> None:
    found, _ = cluster(url)

    (check,) = found.health_checks
    assert check.http_health_check is not None
    assert (check.http_health_check.host, check.http_health_check.path) == (host, path)
    assert check.no_traffic_interval == check.unhealthy_interval


def test_a_dead_host_is_never_asked() -> None:
    found, _ = cluster("http://10.0.0.1")

    assert found.common_lb_config is not None
    assert found.common_lb_config.healthy_panic_threshold == m.types.Percent(value=0.0)


def test_only_reads_are_retried() -> None:
    for name in ("ingress", "egress"):
        routes = m.route.RouteConfiguration.parse(snapshot().of_type(ROUTE)[name].body)
        (host,) = routes.virtual_hosts
        retried = {
            route.name
            for route in host.routes
            if route.route is not None and route.route.retry_policy is not None
        }
        assert retried == {"read"}


def test_no_pod_sees_by_what_a_request_was_routed() -> None:
    for options in (GatewayOptions(), GatewayOptions(owner_cache=True)):
        for name in ("ingress", "egress"):
            body = snapshot(options).of_type(ROUTE)[name].body
            (host,) = m.route.RouteConfiguration.parse(body).virtual_hosts
            routes = [route for route in host.routes if route.route is not None]
            assert routes
            for route in routes:
                assert route.route is not None
                assert route.route.cluster_header in route.request_headers_to_remove


def test_the_last_route_answers_by_itself() -> None:
    for name, status in (("ingress", 503), ("egress", 404)):
        routes = m.route.RouteConfiguration.parse(snapshot().of_type(ROUTE)[name].body)
        last = routes.virtual_hosts[0].routes[-1]
        assert last.direct_response is not None
        assert last.direct_response.status == status


@pytest.mark.parametrize(
    ("path", "streams"),
    [
        ("/image/v2/images/1/file", True),
        ("/v2/images/1/file", True),
        ("/v2/images/1/stage", True),
        ("/v2.1/images/1/file", True),
        ("/v2/images/1", False),
        ("/v2/images/1/members/file", False),
        ("/v3/images/1/file", False),
    ],
)
def test_image_data_is_told_by_its_path(path: str, *, streams: bool) -> None:
    routes = m.route.RouteConfiguration.parse(snapshot().of_type(ROUTE)["ingress"].body)
    first = routes.virtual_hosts[0].routes[0]
    assert first.match is not None
    assert first.match.safe_regex is not None

    assert bool(re.fullmatch(first.match.safe_regex.regex, path)) is streams


@pytest.mark.parametrize(
    ("name", "removed"),
    [
        ("x-trio2o-explain", False),
        ("x-trio2o-explain2", True),
        ("x-trio2o-expl", True),
        ("x-trio2o-explore", True),
        ("x-trio2o-", True),
        ("x-trio2o-cluster", True),
        ("x-auth-token", False),
    ],
)
def test_all_our_headers_but_one_are_removed(name: str, *, removed: bool) -> None:
    assert bool(re.fullmatch(names_but("x-trio2o-", "explain"), name)) is removed


def test_the_owner_cache_stands_before_the_processor() -> None:
    options = GatewayOptions(owner_cache=True)

    assert [entry.name for entry in ingress_filters(options)] == [
        OWNER_CACHE,
        "envoy.filters.http.ext_proc",
        "envoy.filters.http.router",
    ]
    found = snapshot(options)
    found.check()
    assert set(found.of_type(EXTENSION)) == {OWNER_CACHE}
    assert not snapshot().of_type(EXTENSION)


def test_a_new_owner_cache_leaves_the_listener_as_it_is() -> None:
    first = snapshot(GatewayOptions(owner_cache=True), OwnerCache("-- epoch 1"))
    second = snapshot(GatewayOptions(owner_cache=True), OwnerCache("-- epoch 2"))

    changed = {url for url in first.versions if first.versions[url] != second.versions[url]}
    assert changed == {EXTENSION}


def test_no_fault_names_a_pod_and_all_parse() -> None:
    assert fault_body(FaultForm.NAMED, 413) == (
        '{"overLimit": {"code": 413, "message": "The request body is too large."}}'
    )
    assert '"computeFault": {"code": 507' in fault_body(FaultForm.NAMED, 507)
    assert "<title>503 Service Unavailable</title>" in fault_body(FaultForm.HTML, 503)
    assert '"status": 404' in fault_body(FaultForm.ERRORS, 404)
    assert '"type": "ServiceUnavailable"' in fault_body(FaultForm.NEUTRON, 503)
