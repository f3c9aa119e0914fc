"""Route configurations: from the cluster the processor chose to the time and retries it gets.

A change here reaches Envoy over RDS and drains nothing.
"""

import re
from functools import lru_cache

from control_plane.xds import messages as m
from control_plane.xds.filters import EXT_PROC, METADATA, OWNER_CACHE, processor_service
from control_plane.xds.options import GatewayOptions
from control_plane.xds.owner_cache import ASKED, CACHE, KNOWN, LANE, LANES, LEARN, SEEN, WORDS
from control_plane.xds.resource import Resource

INGRESS = "ingress"
EGRESS = "egress"

#: The processor's decision, and the only thing that routes.
CLUSTER_HEADER = "x-trio2o-cluster"

#: Image data, the only bodies without a bound in size or time.
_IMAGE_DATA = r"(/.*)?/v2(\.\d+)?/images/[^/]+/(file|stage)"
_SAFE_METHODS = "GET|HEAD"

#: Of whom something was asked, as the owner cache reads it.
_ASKED = (
    "%REQ(:METHOD)% %REQ(X-FORWARDED-PROTO?:SCHEME)% %REQ(:AUTHORITY)% %UPSTREAM_CLUSTER_RAW%"
    " %REQ(:PATH)%"
)
#: An administrator who asks why gets the processor's word.
_UNEXPLAINED = m.route.HeaderMatcher(name="x-trio2o-explain", present_match=True, invert_match=True)
#: What a pod might say in the gateway's name, and what the proxies before it say of themselves.
#: What the routes put into an answer (LEARN, ASKED, SEEN) they take from a pod's themselves.
_NOT_FOR_CLIENTS = [
    *(f"x-trio2o-{name}" for name in ("missing", "pod", "decision")),
    *(CLUSTER_HEADER, KNOWN, LANE, CACHE),
    *(f"x-envoy-{name}" for name in ("upstream-service-time", "attempt-count", "peer-metadata")),
    *(f"x-envoy-{name}" for name in ("decorator-operation", "overloaded", "degraded")),
]
#: Pods keep it beside their own, so that one request can be followed through all of them.
_GLOBAL_REQUEST_ID = m.core.HeaderValueOption(
    header=m.core.HeaderValue(key="x-openstack-request-id", value="req-%REQ(X-REQUEST-ID)%"),
    append_action=m.core.HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT,
)
_NO_PROCESSOR = {EXT_PROC: m.pack(m.ext_proc.ExtProcPerRoute(disabled=True))}
_NO_LUA = {OWNER_CACHE: m.pack(m.lua.LuaPerRoute(disabled=True))}


@lru_cache(maxsize=64)
def ingress_routes(options: GatewayOptions, lost: tuple[str, ...] = ()) -> Resource:
    """Build the routes of clients' requests; what `lost` pods have is the processor's business.

    A request is routed twice: before the filters, when only its lane can be known, and after the
    owner cache or the processor have named a cluster.
    """
    chosen = m.route.HeaderMatcher(name=CLUSTER_HEADER, present_match=True)
    routes = [
        *(_known_routes(options, lost) if options.owner_cache else []),
        _image_data(options, CLUSTER_HEADER, [chosen]),
        *_api_routes(options, CLUSTER_HEADER, [chosen]),
        *(_lanes(options) if options.owner_cache else []),
        # The processor routes or answers every request; one it did neither to is our fault.
        m.route.Route(
            name="undecided",
            match=m.route.RouteMatch(prefix="/"),
            direct_response=m.route.DirectResponseAction(status=503),
        ),
    ]
    if options.owner_cache:
        for route in routes:
            if route.route is not None and route.route.cluster_header == CLUSTER_HEADER:
                route.response_headers_to_remove = [LEARN, ASKED, SEEN]
                route.response_headers_to_add = [
                    m.put_header(LEARN, f"%DYNAMIC_METADATA({METADATA}:learn)%"),
                    m.put_header(ASKED, _ASKED),
                ]
    return _configuration(INGRESS, routes)


def _known_routes(options: GatewayOptions, lost: tuple[str, ...]) -> list[m.route.Route]:
    """Build the routes of ids that the owner cache knew; the processor is passed by."""
    known = [m.route.HeaderMatcher(name=KNOWN, present_match=True), _UNEXPLAINED]
    seen = [m.route.HeaderMatcher(name=SEEN, present_match=True), _UNEXPLAINED]
    if lost:
        # It may be that their records are shown in their stead.
        seen.append(
            m.route.HeaderMatcher(
                name=SEEN,
                string_match=m.full_match(f"({'|'.join(map(re.escape, lost))})/.*"),
                invert_match=True,
            )
        )
    passing = [
        _image_data(options, KNOWN, [*known, m.header_ends(KNOWN, "/image")]),
        *_api_routes(options, KNOWN, known),
    ]
    rewriting = _api_routes(options, SEEN, seen)
    for route in (*passing, *rewriting):
        route.name = f"known-{route.name}"
    for route in (*passing, *rewriting):
        route.response_headers_to_remove = [LEARN, ASKED, SEEN]
    for route in passing:
        route.typed_per_filter_config = {**_NO_PROCESSOR, **_NO_LUA}
        route.stat_prefix = "known"
    for route in rewriting:
        route.typed_per_filter_config = dict(_NO_PROCESSOR)
        route.stat_prefix = "seen"
        # A compressed answer could not be read.
        route.request_headers_to_remove = ["accept-encoding"]
        route.response_headers_to_add = [m.put_header(SEEN, _ASKED)]
    return [*passing, *rewriting]


def _lanes(options: GatewayOptions) -> list[m.route.Route]:
    """Build the ways to the processor: each has its own kind of stream there."""
    return [
        m.route.Route(
            name=name,
            match=m.route.RouteMatch(prefix="/", headers=[m.header_is(LANE, name)]),
            direct_response=m.route.DirectResponseAction(status=503),
            typed_per_filter_config={
                EXT_PROC: m.pack(m.ext_proc.ExtProcPerRoute(overrides=_way(options, name)))
            },
        )
        for name in LANES
    ]


def _way(options: GatewayOptions, lane: str) -> m.ext_proc.ExtProcOverrides:
    """Say where a lane leads; one word that decides and changes nothing may be asked for twice."""
    return m.ext_proc.ExtProcOverrides(
        grpc_service=processor_service(options.words_cluster, "connect-failure,reset")
        if lane in WORDS
        else None,
        grpc_initial_metadata=[m.core.HeaderValue(key=LANE, value=lane)],
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
            *_api_routes(options, CLUSTER_HEADER, [chosen]),
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
                    request_headers_to_add=[_GLOBAL_REQUEST_ID],
                    # What is between Envoy and the processor is no business of a pod.
                    request_headers_to_remove=[
                        CLUSTER_HEADER,
                        KNOWN,
                        SEEN,
                        LANE,
                        CACHE,
                        "x-envoy-external-address",
                        "x-envoy-internal",
                    ],
                    response_headers_to_remove=_NOT_FOR_CLIENTS,
                )
            ],
        ),
    )


def _image_data(
    options: GatewayOptions, header: str, chosen: list[m.route.HeaderMatcher]
) -> m.route.Route:
    return m.route.Route(
        name="image-data",
        match=m.route.RouteMatch(
            safe_regex=m.matcher.RegexMatcher(regex=_IMAGE_DATA), headers=chosen
        ),
        # No limit on the whole, only on silence. Without a retry Envoy need not keep what it has
        # sent.
        route=m.route.RouteAction(
            cluster_header=header,
            timeout=m.seconds(0),
            idle_timeout=m.seconds(options.stream_idle_timeout),
        ),
    )


def _api_routes(
    options: GatewayOptions, header: str, chosen: list[m.route.HeaderMatcher]
) -> list[m.route.Route]:
    timeout = m.seconds(options.request_timeout)
    return [
        m.route.Route(
            name="read",
            match=m.route.RouteMatch(
                prefix="/", headers=[*chosen, m.header_matches(":method", _SAFE_METHODS)]
            ),
            route=m.route.RouteAction(
                cluster_header=header,
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
            route=m.route.RouteAction(cluster_header=header, timeout=timeout),
        ),
    ]
