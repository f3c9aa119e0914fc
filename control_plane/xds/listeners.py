"""The two listeners: ingress for clients, egress for the control plane's requests to pods.

A change here makes Envoy drain the listener, so what changes often is in routes and clusters.
"""

from functools import lru_cache, partial

from control_plane.xds import messages as m
from control_plane.xds.access_log import access_log
from control_plane.xds.certificate import server_tls, server_tls_references
from control_plane.xds.endpoints import listen_address
from control_plane.xds.faults import local_reply_config
from control_plane.xds.filters import (
    early_header_mutation,
    ingress_filters,
    owner_cache_references,
    remove_headers,
    router,
)
from control_plane.xds.module import known_ids
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import ROUTE, Resource
from control_plane.xds.routes import EGRESS, INGRESS

_HCM = "envoy.filters.network.http_connection_manager"
_ESCAPED_SLASHES = m.hcm.HttpConnectionManagerPathWithEscapedSlashesAction


@lru_cache
def ingress_listener(options: GatewayOptions, module: str = "") -> Resource:
    """Build the listener that clients reach; `module`: where the Envoy has that of known ids."""
    manager = _manager(INGRESS, options)
    manager.http_filters = ingress_filters(options)
    # The module removes what the other does, on its one way through the headers.
    early = known_ids(module) if module else early_header_mutation()
    manager.early_header_mutation_extensions = [early]
    manager.local_reply_config = local_reply_config()
    manager.access_log = access_log(options.access_log)
    manager.use_remote_address = True
    manager.xff_num_trusted_hops = options.trusted_hops
    manager.request_headers_timeout = m.seconds(options.request_headers_timeout)
    _speak_http_10(manager, options)
    chain = _chain(manager)
    references = [(ROUTE, INGRESS), *owner_cache_references(options)]
    if options.tls:
        chain.transport_socket = server_tls()
        # Otherwise who says nothing stays for as long as an idle client.
        chain.transport_socket_connect_timeout = m.seconds(options.request_headers_timeout)
        references += server_tls_references()
    return Resource.of(
        INGRESS,
        m.listener.Listener(
            name=INGRESS,
            # What is told to the inbound ones alone: to take no more connections.
            traffic_direction=m.core.TrafficDirection.INBOUND,
            address=listen_address(options.listen),
            per_connection_buffer_limit_bytes=options.buffer_limit,
            filter_chains=[chain],
        ),
        references,
        partial(ingress_listener, options) if options.owner_cache and not module else None,
    )


def _speak_http_10(manager: m.hcm.HttpConnectionManager, options: GatewayOptions) -> None:
    """Answer health checkers, old tools and nginx as it comes, which would get a 426.

    They need not say a host; links are then made of the address that is listened at.
    """
    protocol = manager.http_protocol_options
    assert protocol is not None  # noqa: S101  # every manager of ours has them
    protocol.accept_http_10 = True
    protocol.default_host_for_http_10 = options.listen


@lru_cache
def egress_listener(options: GatewayOptions) -> Resource:
    """Build the listener through which the control plane reaches pods: no processor, no log."""
    manager = _manager(EGRESS, options)
    manager.http_filters = [router()]
    _believe_sender(manager)
    return Resource.of(
        EGRESS,
        m.listener.Listener(
            name=EGRESS,
            traffic_direction=m.core.TrafficDirection.OUTBOUND,
            address=listen_address(options.egress),
            per_connection_buffer_limit_bytes=options.buffer_limit,
            filter_chains=[_chain(manager)],
            # Clients must not be able to starve the control plane of connections.
            ignore_global_conn_limit=True,
            bypass_overload_manager=True,
        ),
        [(ROUTE, EGRESS)],
    )


def _believe_sender(manager: m.hcm.HttpConnectionManager) -> None:
    """Take every sender for the control plane, so that its x-envoy-* headers count.

    Envoy obeys x-envoy-upstream-rq-timeout-ms only in requests it calls internal: from an internal
    address and without X-Forwarded-For. One trusted hop keeps the client's X-Forwarded-Proto, from
    which pods build their links.
    """
    manager.use_remote_address = True
    manager.xff_num_trusted_hops = 1
    manager.skip_xff_append = True
    manager.early_header_mutation_extensions = [remove_headers(["x-forwarded-for"])]
    manager.internal_address_config = m.hcm.HttpConnectionManagerInternalAddressConfig(
        unix_sockets=True,
        cidr_ranges=[
            m.core.CidrRange(address_prefix=everything, prefix_len=0)
            for everything in ("0.0.0.0", "::")  # noqa: S104 - no address to bind to
        ],
    )


def _chain(manager: m.hcm.HttpConnectionManager) -> m.listener.FilterChain:
    return m.listener.FilterChain(
        filters=[m.listener.Filter(name=_HCM, typed_config=m.pack(manager))]
    )


def _manager(name: str, options: GatewayOptions) -> m.hcm.HttpConnectionManager:
    return m.hcm.HttpConnectionManager(
        stat_prefix=name,
        codec_type=m.hcm.HttpConnectionManagerCodecType.AUTO,
        rds=m.hcm.Rds(config_source=m.FROM_ADS, route_config_name=name),
        max_request_headers_kb=options.max_request_headers_kb,
        stream_idle_timeout=m.seconds(options.stream_idle_timeout),
        generate_request_id=True,
        # Names of flavors, aggregates, metadata and placement traits may hold an escaped slash or
        # dots; paths reach the processor and the pods byte for byte, and nothing is guarded by
        # its path alone.
        normalize_path=False,
        merge_slashes=False,
        path_with_escaped_slashes_action=_ESCAPED_SLASHES.KEEP_UNCHANGED,
        # `server` is the pod's, and none where Envoy answers.
        server_header_transformation=(
            m.hcm.HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH
        ),
        common_http_protocol_options=m.core.HttpProtocolOptions(
            idle_timeout=m.seconds(options.client_idle_timeout),
            # To a WSGI server X_Foo and X-Foo are one header: the first would come past every
            # rule for the second. Apache drops them too.
            headers_with_underscores_action=(
                m.core.HttpProtocolOptionsHeadersWithUnderscoresAction.DROP_HEADER
            ),
        ),
        http_protocol_options=m.core.Http1ProtocolOptions(
            # Java's HttpClient offers h2c on every request, and Apache's TLS; refusing what one
            # need not accept would be a 403.
            ignore_http_11_upgrade=[
                m.matcher.StringMatcher(prefix=offered, ignore_case=True)
                for offered in ("h2c", "TLS/")
            ],
        ),
        http2_protocol_options=m.core.Http2ProtocolOptions(
            max_concurrent_streams=100,
            initial_stream_window_size=1 << 20,
            initial_connection_window_size=4 << 20,
        ),
    )
