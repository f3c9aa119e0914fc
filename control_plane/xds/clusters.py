"""One cluster a service of a pod: how Envoy reaches it, and how it learns that it cannot.

What stands here takes 5 ms to build and serialise, so `templates` does it once for each kind of
cluster and stamps the others.
"""

from control_plane.model.endpoint import Endpoint
from control_plane.xds import messages as m
from control_plane.xds.endpoints import assignment, assignment_name
from control_plane.xds.options import GatewayOptions

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def build_cluster(name: str, endpoint: Endpoint, options: GatewayOptions) -> m.cluster.Cluster:
    """Build a cluster; the host of one at an IP address comes by EDS, a name is resolved."""
    cluster = _cluster(name, endpoint, options)
    if endpoint.is_address:
        cluster.type = m.cluster.ClusterDiscoveryType.EDS
        cluster.eds_cluster_config = m.cluster.ClusterEdsClusterConfig(
            eds_config=m.FROM_ADS, service_name=assignment_name(name, endpoint)
        )
    else:
        cluster.type = m.cluster.ClusterDiscoveryType.STRICT_DNS
        cluster.dns_lookup_family = m.cluster.ClusterDnsLookupFamily.V4_PREFERRED
        cluster.load_assignment = assignment(name, endpoint)
    return cluster


def _cluster(name: str, endpoint: Endpoint, options: GatewayOptions) -> m.cluster.Cluster:
    return m.cluster.Cluster(
        name=name,
        connect_timeout=m.seconds(options.connect_timeout),
        per_connection_buffer_limit_bytes=options.buffer_limit,
        typed_extension_protocol_options={_HTTP_OPTIONS: m.pack(_http(options))},
        transport_socket=_tls(endpoint, options.ca_file) if endpoint.scheme == "https" else None,
        health_checks=[_health_check(endpoint, options)],
        # A host that is gone from the assignment is gone, healthy or not.
        ignore_health_on_host_removal=True,
        outlier_detection=_outlier_detection(),
        circuit_breakers=_circuit_breakers(options),
        common_lb_config=m.cluster.ClusterCommonLbConfig(
            # By default Envoy sends requests to hosts it knows to be dead once most of them are;
            # with one host that is always. 0: an immediate 503.
            healthy_panic_threshold=m.types.Percent(value=0.0),
        ),
        upstream_connection_options=m.cluster.UpstreamConnectionOptions(
            tcp_keepalive=m.core.TcpKeepalive(
                keepalive_probes=3, keepalive_time=30, keepalive_interval=10
            )
        ),
    )


def _http(options: GatewayOptions) -> m.upstream_http.HttpProtocolOptions:
    return m.upstream_http.HttpProtocolOptions(
        common_http_protocol_options=m.core.HttpProtocolOptions(
            idle_timeout=m.seconds(options.upstream_idle_timeout)
        ),
        # The API servers of OpenStack speak no HTTP/2.
        explicit_http_config=m.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http_protocol_options=m.core.Http1ProtocolOptions()
        ),
    )


def _tls(endpoint: Endpoint, ca_file: str) -> m.core.TransportSocket:
    san_type = (
        m.tls.SubjectAltNameMatcherSanType.IP_ADDRESS
        if endpoint.is_address
        else m.tls.SubjectAltNameMatcherSanType.DNS
    )
    context = m.tls.UpstreamTlsContext(
        # A server name is never an address: RFC 6066.
        sni="" if endpoint.is_address else endpoint.host,
        common_tls_context=m.tls.CommonTlsContext(
            tls_params=m.tls.TlsParameters(
                tls_minimum_protocol_version=m.tls.TlsParametersTlsProtocol.TLSv1_2
            ),
            alpn_protocols=["http/1.1"],
            validation_context=m.tls.CertificateValidationContext(
                trusted_ca=m.core.DataSource(filename=ca_file),
                # Without this any certificate that the authorities signed is good.
                match_typed_subject_alt_names=[
                    m.tls.SubjectAltNameMatcher(
                        san_type=san_type,
                        matcher=m.matcher.StringMatcher(exact=endpoint.host),
                    )
                ],
            ),
        ),
    )
    return m.core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=m.pack(context))


def _health_check(endpoint: Endpoint, options: GatewayOptions) -> m.core.HealthCheck:
    unhealthy = m.seconds(options.unhealthy_check_interval)
    return m.core.HealthCheck(
        interval=m.seconds(options.health_check_interval),
        unhealthy_interval=unhealthy,
        # The default, 60 s, would leave a pod that nobody has asked dead for a minute. One that
        # is well may be looked at rarely: what it does not answer is seen by who asks.
        no_traffic_interval=unhealthy,
        no_traffic_healthy_interval=m.seconds(options.unasked_check_interval),
        unhealthy_edge_interval=m.seconds(min(1.0, options.unhealthy_check_interval)),
        interval_jitter_percent=10,
        # Long and three times, because a busy API server answers late and is not dead: with one
        # host a false alarm is an outage. A refused connection counts at once.
        timeout=m.seconds(options.health_check_timeout),
        unhealthy_threshold=3,
        healthy_threshold=1,
        http_health_check=m.core.HealthCheckHttpHealthCheck(
            # The default host is the cluster's name, which is no host name.
            host=endpoint.authority,
            path=f"{endpoint.path}/",
            # The version document is 200 or 300, 401 behind some proxies; all prove life.
            expected_statuses=[m.types.Int64Range(start=200, end=500)],
        ),
    )


def _outlier_detection() -> m.cluster.OutlierDetection:
    # Only what Envoy itself sees (refused, reset, no answer in time) takes a host out, until the
    # next good health check. A pod's own 5xx do not: with one host that would let one user's
    # failing request, sent five times, take the service from all others. Timeouts count among what
    # Envoy sees, and calls about one broken hypervisor time out together: so there must be many.
    return m.cluster.OutlierDetection(
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=100,
        enforcing_consecutive_local_origin_failure=100,
        consecutive_gateway_failure=5,
        enforcing_consecutive_gateway_failure=0,
        enforcing_consecutive_5xx=0,
        enforcing_success_rate=0,
        enforcing_local_origin_success_rate=0,
        enforcing_failure_percentage=0,
        interval=m.seconds(2),
        base_ejection_time=m.seconds(5),
        max_ejection_time=m.seconds(30),
        max_ejection_percent=100,
    )


def _circuit_breakers(options: GatewayOptions) -> m.cluster.CircuitBreakers:
    return m.cluster.CircuitBreakers(
        thresholds=[
            m.cluster.CircuitBreakersThresholds(
                max_connections=options.max_connections,
                max_pending_requests=options.max_requests,
                max_requests=options.max_requests,
                max_retries=16,
            )
        ]
    )
