"""The one place where Envoy's configuration messages are imported from.

envoy-data-plane builds configuration only: typed and validated, but 5 ms a cluster. What is sent a
request (ext_proc) or a stream (discovery), and what there are thousands of (`templates`), uses
`control_plane.pb`.
"""

import warnings
from datetime import timedelta

import betterproto2

with warnings.catch_warnings():
    # The generated classes use a pydantic decorator in a form deprecated since pydantic 2.12.
    warnings.simplefilter("ignore", DeprecationWarning)
    from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
    from envoy_data_plane.envoy.config.bootstrap import v3 as bootstrap
    from envoy_data_plane.envoy.config.cluster import v3 as cluster
    from envoy_data_plane.envoy.config.common.mutation_rules import v3 as mutation_rules
    from envoy_data_plane.envoy.config.core import v3 as core
    from envoy_data_plane.envoy.config.endpoint import v3 as endpoint
    from envoy_data_plane.envoy.config.listener import v3 as listener
    from envoy_data_plane.envoy.config.route import v3 as route
    from envoy_data_plane.envoy.extensions.access_loggers.file import v3 as file_log
    from envoy_data_plane.envoy.extensions.access_loggers.filters.cel import v3 as cel
    from envoy_data_plane.envoy.extensions.access_loggers.stream import v3 as stream_log
    from envoy_data_plane.envoy.extensions.filters.http.ext_proc import v3 as ext_proc
    from envoy_data_plane.envoy.extensions.filters.http.lua import v3 as lua
    from envoy_data_plane.envoy.extensions.filters.http.router import v3 as router
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import (
        v3 as hcm,
    )
    from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation import (
        v3 as early_header_mutation,
    )
    from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
    from envoy_data_plane.envoy.extensions.upstreams.http import v3 as upstream_http
    from envoy_data_plane.envoy.type import v3 as types
    from envoy_data_plane.envoy.type.matcher import v3 as matcher
    from envoy_data_plane.google.protobuf import Any, Struct

__all__ = [
    "FROM_ADS",
    "Any",
    "Struct",
    "accesslog",
    "bootstrap",
    "cel",
    "cluster",
    "core",
    "early_header_mutation",
    "endpoint",
    "ext_proc",
    "extension",
    "file_log",
    "full_match",
    "hcm",
    "header_does_not_begin",
    "header_ends",
    "header_is",
    "header_matches",
    "listener",
    "lua",
    "matcher",
    "mutation_rules",
    "pack",
    "put_header",
    "route",
    "router",
    "seconds",
    "stream_log",
    "tls",
    "types",
    "upstream_http",
]

#: Configuration that the ADS stream delivers.
FROM_ADS = core.ConfigSource(
    ads=core.AggregatedConfigSource(), resource_api_version=core.ApiVersion.V3
)


def pack(message: betterproto2.Message) -> Any:
    """Wrap a message for a field that takes any type."""
    return Any.pack(message)


def extension(name: str, message: betterproto2.Message) -> core.TypedExtensionConfig:
    """Name and wrap the configuration of an extension."""
    return core.TypedExtensionConfig(name=name, typed_config=pack(message))


def seconds(value: float) -> timedelta:
    """Write a number of seconds as a Duration."""
    return timedelta(seconds=value)


def full_match(regex: str) -> matcher.StringMatcher:
    """Match a whole string; RE2, so no lookaround and no large counted repetition."""
    return matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=regex))


def header_matches(name: str, regex: str) -> route.HeaderMatcher:
    """Match a whole header value."""
    return route.HeaderMatcher(name=name, string_match=full_match(regex))


def header_is(name: str, value: str) -> route.HeaderMatcher:
    """Match a header value as it is."""
    return route.HeaderMatcher(name=name, string_match=matcher.StringMatcher(exact=value))


def header_ends(name: str, ending: str) -> route.HeaderMatcher:
    """Match the end of a header value."""
    return route.HeaderMatcher(name=name, string_match=matcher.StringMatcher(suffix=ending))


def header_does_not_begin(name: str, beginning: str) -> route.HeaderMatcher:
    """Match every header value that does not begin so."""
    return route.HeaderMatcher(
        name=name, string_match=matcher.StringMatcher(prefix=beginning), invert_match=True
    )


def put_header(name: str, value: str) -> core.HeaderValueOption:
    """Set a header, whatever was there."""
    return core.HeaderValueOption(
        header=core.HeaderValue(key=name, value=value),
        append_action=core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )
