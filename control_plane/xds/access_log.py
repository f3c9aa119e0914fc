"""The access log: one JSON object a request. No header that could hold a token is in it."""

from control_plane.xds import messages as m
from control_plane.xds.filters import METADATA

_STDOUT = "/dev/stdout"

_FIELDS = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "openstack_request_id": "%RESP(X-OPENSTACK-REQUEST-ID?X-COMPUTE-REQUEST-ID)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "method": "%REQ(:METHOD)%",
    # NQ: without the query, where some clients put what they should not. As the pod saw it.
    "path": "%PATH(NQ:PATH)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESPONSE_DURATION%",
    "cluster": "%UPSTREAM_CLUSTER%",
    # `known-…`: decided without the processor, which says the rest.
    "route": "%ROUTE_NAME%",
    **{
        key: f"%DYNAMIC_METADATA({METADATA}:{key})%"
        for key in ("service", "operation", "project", "pod", "decision")
    },
}


def access_log(path: str) -> list[m.accesslog.AccessLog]:
    """Log to a file or standard output; an empty path logs nothing."""
    if not path:
        return []
    # Each line has every key, null where there is nothing to say: to leave keys out would cost half
    # as much again.
    log_format = m.core.SubstitutionFormatString(json_format=m.Struct.from_dict(_FIELDS))
    if path == _STDOUT:
        return [
            m.accesslog.AccessLog(
                name="envoy.access_loggers.stdout",
                typed_config=m.pack(m.stream_log.StdoutAccessLog(log_format=log_format)),
            )
        ]
    return [
        m.accesslog.AccessLog(
            name="envoy.access_loggers.file",
            typed_config=m.pack(m.file_log.FileAccessLog(path=path, log_format=log_format)),
        )
    ]
