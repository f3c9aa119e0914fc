"""Which statistics an Envoy keeps, and which labels they get.

Left alone, Envoy keeps 150 statistics a cluster and tries the pattern of every tag on each name:
with 5,000 clusters that is most of the work of its start and a quarter of its memory.
"""

from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

#: Of Envoy's own tags, which it finds without a regular expression. `envoy.cluster_name` is
#: `Pod1/compute`: regular expressions that cut pod and service apart cost 0.5 ms a cluster.
_TAGS = (
    "envoy.cluster_name",
    "envoy.http_conn_manager_prefix",
    "envoy.listener_address",
    "envoy.response_code",
    "envoy.response_code_class",
    "envoy.worker_id",
)

#: What is kept of a pod's cluster; regular expressions of what follows its name.
_OF_PODS = (
    r"circuit_breakers\.default\.((cx|rq|rq_pending|rq_retry)_open|remaining_(cx|rq|pending))",
    r"health_check\.(attempt|success|failure|healthy|network_failure)",
    r"membership_(change|healthy|total)",
    r"outlier_detection\.ejections_(active|enforced_total)",
    r"ssl\..*",
    r"upstream_cx_(active|total|connect_fail|connect_timeout|connect_ms|overflow|protocol_error)",
    r"upstream_cx_(destroy(_local|_remote)?(_with_active_rq)?|(rx|tx)_bytes_total)",
    r"(external\.|internal\.)?upstream_rq_(time|completed|[1-5]xx|[1-5]\d\d)",
    r"upstream_rq_(active|total|timeout|cancelled|(rx|tx)_reset)",
    r"upstream_rq_(pending_(active|total|overflow)|retry(_success|_overflow|_limit_exceeded)?)",
)


def stats_config() -> dict[str, Json]:
    """Write the bootstrap's `stats_config`."""
    return {
        "use_all_default_tags": False,
        "stats_tags": [{"tag_name": name} for name in _TAGS],
        "stats_matcher": {
            "inclusion_list": {
                "patterns": [
                    # Only names of pods' clusters, and of listeners at a path, have a slash.
                    _matches("[^/]*"),
                    {"prefix": "listener."},
                    _matches(rf"cluster\.[^/]+/[a-z]+\.({'|'.join(_OF_PODS)})"),
                ]
            }
        },
    }


def _matches(regex: str) -> Json:
    return {"safe_regex": {"regex": regex}}
