"""The HTTP filters of the ingress listener, and what happens to headers before them."""

from control_plane.xds import messages as m
from control_plane.xds.options import GatewayOptions
from control_plane.xds.resource import EXTENSION, Resource

#: The namespace of dynamic metadata that the processor may write and the access log reads.
METADATA = "trio2o"
OWNER_CACHE = "trio2o.owner_cache"
EXT_PROC = "envoy.filters.http.ext_proc"

_OURS = "x-trio2o-"
#: The one header of ours that a client may send.
_CLIENTS = "explain"
_LUA = "envoy.extensions.filters.http.lua.v3.Lua"


def early_header_mutation() -> m.core.TypedExtensionConfig:
    """Remove, before anything routes, what only Envoy and the processor may say."""
    return _remove_on_match(
        m.full_match(names_but(_OURS, _CLIENTS)),
        # Timeouts, retries, original paths: Envoy obeys them, and trusts private addresses.
        m.matcher.StringMatcher(prefix="x-envoy-"),
    )


def remove_headers(names: list[str]) -> m.core.TypedExtensionConfig:
    """Remove headers before Envoy looks at them itself."""
    return _remove_on_match(*(m.matcher.StringMatcher(exact=name) for name in names))


def _remove_on_match(*names: m.matcher.StringMatcher) -> m.core.TypedExtensionConfig:
    return m.extension(
        "envoy.http.early_header_mutation.header_mutation",
        m.early_header_mutation.HeaderMutation(
            mutations=[
                m.mutation_rules.HeaderMutation(
                    remove_on_match=m.mutation_rules.HeaderMutationRemoveOnMatch(key_matcher=name)
                )
                for name in names
            ]
        ),
    )


def names_but(prefix: str, kept: str) -> str:
    """Write a regular expression for all names with a prefix but one; RE2 has no lookahead."""
    differing = [f"{kept[:index]}([^{letter}].*)?" for index, letter in enumerate(kept)]
    return f"{prefix}({'|'.join([*differing, f'{kept}.+'])})"


def ingress_filters(options: GatewayOptions) -> list[m.hcm.HttpFilter]:
    """List the filters in the order a request meets them."""
    return [*_owner_cache(options), _processor(options), router()]


def owner_cache_resource(options: GatewayOptions, script: str) -> tuple[Resource, ...]:
    """Build what ECDS delivers for the owner cache's place in the chain."""
    if not options.owner_cache:
        return ()
    return (
        Resource.of(
            OWNER_CACHE,
            m.extension(
                OWNER_CACHE,
                m.lua.Lua(
                    default_source_code=m.core.DataSource(inline_string=script or "-- nothing yet")
                ),
            ),
        ),
    )


def owner_cache_references(options: GatewayOptions) -> list[tuple[str, str]]:
    """Name what the listener needs from ECDS."""
    return [(EXTENSION, OWNER_CACHE)] if options.owner_cache else []


def router() -> m.hcm.HttpFilter:
    """End the chain."""
    return m.hcm.HttpFilter(
        name="envoy.filters.http.router",
        # x-envoy-upstream-service-time would tell clients of what is behind the gateway.
        typed_config=m.pack(m.router.Router(suppress_envoy_headers=True)),
    )


def _owner_cache(options: GatewayOptions) -> list[m.hcm.HttpFilter]:
    if not options.owner_cache:
        return []
    return [
        m.hcm.HttpFilter(
            name=OWNER_CACHE,
            config_discovery=m.core.ExtensionConfigSource(
                config_source=m.FROM_ADS, type_urls=[f"type.googleapis.com/{_LUA}"]
            ),
        )
    ]


def grpc_service(cluster: str) -> m.core.GrpcService:
    """Say where the processor is; how it is asked again is said in the bootstrap's cluster."""
    return m.core.GrpcService(envoy_grpc=m.core.GrpcServiceEnvoyGrpc(cluster_name=cluster))


def _processor(options: GatewayOptions) -> m.hcm.HttpFilter:
    send = m.ext_proc.ProcessingModeHeaderSendMode
    none = m.ext_proc.ProcessingModeBodySendMode.NONE
    timeout = m.seconds(options.processor_timeout)
    return m.hcm.HttpFilter(
        name=EXT_PROC,
        typed_config=m.pack(
            m.ext_proc.ExternalProcessor(
                # Where most is asked. Envoy copies and hashes this for each request, also where no
                # processor is asked, and again what a route says instead.
                grpc_service=grpc_service(options.words_cluster),
                # Bodies only where the processor asks for them: image data streams past it.
                processing_mode=m.ext_proc.ProcessingMode(
                    request_header_mode=send.SEND,
                    response_header_mode=send.SKIP,
                    request_body_mode=none,
                    response_body_mode=none,
                    request_trailer_mode=send.SKIP,
                    response_trailer_mode=send.SKIP,
                ),
                allow_mode_override=True,
                # The default is 200 ms, less than a list of many pods takes.
                message_timeout=timeout,
                max_message_timeout=timeout,
                # Without a decision no request may reach a pod.
                failure_mode_allow=False,
                status_on_error=m.types.HttpStatus(code=m.types.StatusCode.ServiceUnavailable),
                # allow_envoy: the processor may set x-envoy-upstream-rq-timeout-ms.
                mutation_rules=m.mutation_rules.HeaderMutationRules(
                    allow_all_routing=True, allow_envoy=True
                ),
                metadata_options=m.ext_proc.MetadataOptions(
                    receiving_namespaces=m.ext_proc.MetadataOptionsMetadataNamespaces(
                        untyped=[METADATA]
                    )
                ),
            )
        ),
    )
