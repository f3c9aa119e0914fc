"""Route configurations: from the cluster the processor chose to the time and retries it gets.

A change here reaches Envoy over RDS and drains nothing.
"""

from functools import lru_cache

from control_plane.xds import messages as m
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import Resource

INGRESS = "ingress"
EGRESS = "egress"

#: The processor's decision, and the only thing that routes.
CLUSTER_HEADER = "x-trio2o-cluster"

#: Image data, the only bodies without a bound in size or time.
_IMAGE_DATA = r"(/.*)?/v2(\.\d+)?/images/[^/]+/(file|stage)"
_SAFE_METHODS = "GET|HEAD"


@lru_cache
def ingress_routes(options: GatewayOptions) -> Resource:
    """Build the routes of clients' requests."""
    chosen = m.route.HeaderMatcher(name=CLUSTER_HEADER, present_match=True)
    return _configuration(
        INGRESS,
        [
            m.route.Route(
                name="image-data",
                match=m.route.RouteMatch(
                    safe_regex=m.matcher.RegexMatcher(regex=_IMAGE_DATA), headers=[chosen]
                ),
                # No limit on the whole, only on silence. Without a retry Envoy need not keep
                # what it has sent.
                route=m.route.RouteAction(
                    cluster_header=CLUSTER_HEADER,
                    timeout=m.seconds(0),
                    idle_timeout=m.seconds(options.stream_idle_timeout),
                ),
            ),
            *_api_routes(options, [chosen]),
            # The processor routes or answers every request; one it did neither to is our fault.
            m.route.Route(
                name="undecided",
                match=m.route.RouteMatch(prefix="/"),
                direct_response=m.route.DirectResponseAction(status=503),
            ),
        ],
    )


@lru_cache
def egress_routes(options: GatewayOptions) -> Resource:
    """Build the routes of the control plane's own requests to pods.

    `x-envoy-upstream-rq-timeout-ms` shortens the time of one request.
    """
    chosen = m.route.HeaderMatcher(name=CLUSTER_HEADER, present_match=True)
    return _configuration(
        EGRESS,
        [
            *_api_routes(options, [chosen]),
            m.route.Route(
                name="undecided",
                match=m.route.RouteMatch(prefix="/"),
                direct_response=m.route.DirectResponseAction(status=404),
            ),
        ],
    )


def _configuration(name: str, routes: list[m.route.Route]) -> Resource:
    return Resource.of(
        name,
        m.route.RouteConfiguration(
            name=name,
            virtual_hosts=[
                m.route.VirtualHost(
                    name=name,
                    domains=["*"],
                    routes=routes,
                    # What is between Envoy and the processor is no business of a pod.
                    request_headers_to_remove=[
                        CLUSTER_HEADER,
                        "x-envoy-external-address",
                        "x-envoy-internal",
                    ],
                )
            ],
        ),
    )


def _api_routes(
    options: GatewayOptions, chosen: list[m.route.HeaderMatcher]
) -> list[m.route.Route]:
    timeout = m.seconds(options.request_timeout)
    return [
        m.route.Route(
            name="read",
            match=m.route.RouteMatch(
                prefix="/", headers=[*chosen, m.header_matches(":method", _SAFE_METHODS)]
            ),
            route=m.route.RouteAction(
                cluster_header=CLUSTER_HEADER,
                timeout=timeout,
                # Only what the pod has not seen, and only what changes nothing.
                retry_policy=m.route.RetryPolicy(
                    retry_on="connect-failure,refused-stream,reset-before-request",
                    num_retries=2,
                    retry_back_off=m.route.RetryPolicyRetryBackOff(
                        base_interval=m.seconds(0.025), max_interval=m.seconds(0.25)
                    ),
                ),
            ),
        ),
        m.route.Route(
            name="write",
            match=m.route.RouteMatch(prefix="/", headers=chosen),
            route=m.route.RouteAction(cluster_header=CLUSTER_HEADER, timeout=timeout),
        ),
    ]
