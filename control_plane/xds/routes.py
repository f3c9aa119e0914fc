"""Route configurations: from the cluster the processor chose to the time and retries it gets.

A change here reaches Envoy over RDS and drains nothing.
"""

from functools import lru_cache

from control_plane.model.headers import (
    ANSWERED,
    CACHE,
    CLUSTER,
    EARLY_KNOWN,
    EARLY_SEEN,
    EXPLAIN,
    KNOWN,
    LANE,
    SEEN,
)
from control_plane.xds import messages as m
from control_plane.xds.filters import EXT_PROC, METADATA, OWNER_CACHE, grpc_service
from control_plane.xds.options import GatewayOptions
from control_plane.xds.owner_cache import LANES, WORDS
from control_plane.xds.resource import Resource

INGRESS = "ingress"
EGRESS = "egress"

#: What is between Envoy and the processor is no business of a pod.
_BETWEEN = (CLUSTER, KNOWN, SEEN, EARLY_KNOWN, EARLY_SEEN, LANE, CACHE)
#: With none of these a request has just arrived, and nobody asks why.
_DECIDING = (KNOWN, SEEN, CLUSTER, LANE, EXPLAIN)

#: Image data, the only bodies without a bound in size or time.
_IMAGE_DATA = r"(/.*)?/v2(\.\d+)?/images/[^/]+/(file|stage)"
_SAFE_METHODS = "GET|HEAD"

#: Of whom something was asked, as the owner cache reads it.
_ASKED = (
    "%REQ(:METHOD)% %REQ(X-FORWARDED-PROTO?:SCHEME)% %REQ(:AUTHORITY)% %UPSTREAM_CLUSTER_RAW%"
    " %REQ(:PATH)%"
)
#: What a pod might say in the gateway's name, and what the proxies before it say of themselves.
_NOT_FOR_CLIENTS = [
    *(f"x-trio2o-{name}" for name in ("missing", "pod", "decision")),
    *_BETWEEN,
    *(f"x-envoy-{name}" for name in ("upstream-service-time", "attempt-count", "peer-metadata")),
    *(f"x-envoy-{name}" for name in ("decorator-operation", "overloaded", "degraded")),
    # Of the pod's connection, and Envoy lets it pass.
    "keep-alive",
]
#: Pods keep it beside their own, so that one request can be followed through all of them.
_GLOBAL_REQUEST_ID = m.core.HeaderValueOption(
    header=m.core.HeaderValue(key="x-openstack-request-id", value="req-%REQ(X-REQUEST-ID)%"),
    append_action=m.core.HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT,
)
_NO_PROCESSOR = {EXT_PROC: m.pack(m.ext_proc.ExtProcPerRoute(disabled=True))}
_NO_LUA = {OWNER_CACHE: m.pack(m.lua.LuaPerRoute(disabled=True))}
#: Where a request's first route says so the filter is not even made.
_OFF = m.pack(m.route.FilterConfig(disabled=True))


@lru_cache(maxsize=64)
def ingress_routes(options: GatewayOptions, lost: tuple[str, ...] = ()) -> Resource:
    """Build the routes of clients' requests; what `lost` pods have is the processor's business.

    A request is routed twice: before the filters, when nothing is decided, and after the owner
    cache or the processor have named a cluster; once only where the module of known ids has. Routes
    are tried in their order, so what is asked for most stands first.
    """
    chosen = _present(CLUSTER)
    cached = options.owner_cache
    routes = [
        *(_early_routes(options, lost) if cached else []),
        *([_undecided(options, [_absent(name) for name in _DECIDING])] if cached else []),
        *(_known_routes(options, lost) if cached else []),
        _image_data(options, CLUSTER, [chosen]),
        *_api_routes(options, CLUSTER, [chosen]),
        *(_lanes(options) if cached else []),
        *([_explained(options)] if cached else []),
        _undecided(options, []),
    ]
    for route in routes:
        if not cached or route.route is None:
            continue
        # A pod's own is taken away before anything is added.
        route.response_headers_to_remove = [ANSWERED]
        if route.route.cluster_header == CLUSTER:
            learnt = f"%DYNAMIC_METADATA({METADATA}:learn)%"
            route.response_headers_to_add = [m.put_header(ANSWERED, f"{learnt} {_ASKED}")]
    return _configuration(INGRESS, routes)


def _early_routes(options: GatewayOptions, lost: tuple[str, ...]) -> list[m.route.Route]:
    """Build the first routes of what the module of known ids knew: no filter is made for them."""
    passing = _passing(options, EARLY_KNOWN, "known-early")
    rewriting = _rewriting(options, EARLY_SEEN, "known-early", lost)
    for route in passing:
        route.typed_per_filter_config = {EXT_PROC: _OFF, OWNER_CACHE: _OFF}
    for route in rewriting:
        route.typed_per_filter_config = {EXT_PROC: _OFF}
    return [*passing, *rewriting]


def _known_routes(options: GatewayOptions, lost: tuple[str, ...]) -> list[m.route.Route]:
    """Build the second routes of ids that the owner cache knew; the processor is passed by."""
    passing = _passing(options, KNOWN, "known")
    rewriting = _rewriting(options, SEEN, "known", lost)
    for route in passing:
        route.typed_per_filter_config = {**_NO_PROCESSOR, **_NO_LUA}
    for route in rewriting:
        route.typed_per_filter_config = dict(_NO_PROCESSOR)
    return [*passing, *rewriting]


def _passing(options: GatewayOptions, header: str, name: str) -> list[m.route.Route]:
    """Build the routes of known ids whose answers pass as the pod gives them."""
    routes = [
        _image_data(options, header, [m.header_ends(header, "/image")]),
        *_api_routes(options, header, [_present(header)]),
    ]
    for route in routes:
        route.name = f"{name}-{route.name}"
        route.request_headers_to_remove = [header]
        route.stat_prefix = "known"
    return routes


def _rewriting(
    options: GatewayOptions, header: str, name: str, lost: tuple[str, ...]
) -> list[m.route.Route]:
    """Build the routes of known ids whose answers are put into the users' words."""
    seen = [_present(header)]
    # It may be that their records are shown in their stead. One matcher a pod: Envoy refuses a
    # regular expression of a dozen names, and the routes with it.
    seen += [m.header_does_not_begin(header, f"{pod}/") for pod in lost]
    routes = _api_routes(options, header, seen)
    for route in routes:
        route.name = f"{name}-{route.name}"
        route.stat_prefix = "seen"
        # A compressed answer could not be read.
        route.request_headers_to_remove = [header, "accept-encoding"]
        route.response_headers_to_add = [m.put_header(ANSWERED, f"= {_ASKED}")]
    return routes


def _lanes(options: GatewayOptions) -> list[m.route.Route]:
    """Build the ways to the processor: each has its own kind of stream there."""
    return [
        _asking(options, name, [m.header_is(LANE, name)], in_words=name in WORDS) for name in LANES
    ]


def _explained(options: GatewayOptions) -> m.route.Route:
    """Let the processor answer who asks why, whatever the owner cache knows."""
    route = _asking(options, "explained", [_present(EXPLAIN)])
    route.typed_per_filter_config |= _NO_LUA
    return route


def _undecided(options: GatewayOptions, headers: list[m.route.HeaderMatcher]) -> m.route.Route:
    """Build the way of all else: the processor decides in a conversation."""
    return _asking(options, "undecided", headers)


def _asking(
    options: GatewayOptions,
    name: str,
    headers: list[m.route.HeaderMatcher],
    *,
    in_words: bool = False,
) -> m.route.Route:
    """Build a way to the processor; `in_words`: its first word is its last."""
    # What the filter says itself is where single words are asked for.
    way = m.ext_proc.ExtProcOverrides(grpc_service=grpc_service(options.processor_cluster))
    return m.route.Route(
        name=name,
        match=m.route.RouteMatch(prefix="/", headers=headers),
        # The processor routes or answers every request; one it did neither to is our fault.
        direct_response=m.route.DirectResponseAction(status=503),
        typed_per_filter_config=(
            {} if in_words else {EXT_PROC: m.pack(m.ext_proc.ExtProcPerRoute(overrides=way))}
        ),
    )


def _present(name: str) -> m.route.HeaderMatcher:
    return m.route.HeaderMatcher(name=name, present_match=True)


def _absent(name: str) -> m.route.HeaderMatcher:
    return m.route.HeaderMatcher(name=name, present_match=True, invert_match=True)


@lru_cache
def egress_routes(options: GatewayOptions) -> Resource:
    """Build the routes of the control plane's own requests to pods.

    `x-envoy-upstream-rq-timeout-ms` shortens the time of one request.
    """
    chosen = _present(CLUSTER)
    return _configuration(
        EGRESS,
        [
            *_api_routes(options, CLUSTER, [chosen]),
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
                    request_headers_to_remove=["x-envoy-external-address", "x-envoy-internal"],
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
        request_headers_to_remove=list(_BETWEEN),
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
                # Only what changes nothing, and what the pod said nothing to: it may close a
                # connection that it keeps at the moment a request comes.
                retry_policy=m.route.RetryPolicy(
                    retry_on="connect-failure,refused-stream,reset",
                    num_retries=2,
                    retry_back_off=m.route.RetryPolicyRetryBackOff(
                        base_interval=m.seconds(0.025), max_interval=m.seconds(0.25)
                    ),
                ),
            ),
            request_headers_to_remove=list(_BETWEEN),
        ),
        m.route.Route(
            name="write",
            match=m.route.RouteMatch(prefix="/", headers=chosen),
            route=m.route.RouteAction(cluster_header=header, timeout=timeout),
            request_headers_to_remove=list(_BETWEEN),
        ),
    ]
