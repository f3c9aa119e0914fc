"""Envoy's own errors in the form of the service they stand for.

A client that parses faults must not meet `upstream connect error` as plain text. What a service's
faults look like is told by the metadata the processor set or, when it set none, by the path.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from control_plane.services.service import FaultForm
from control_plane.xds import messages as m
from control_plane.xds.filters import METADATA

#: The processor's answers are local replies to Envoy, as its own errors are, and must not be
#: rewritten. It leaves `details` of an ImmediateResponse empty or begins them with this.
PROCESSOR_DETAILS = "trio2o"

_FROM_PROCESSOR = (
    '!has(response.code_details) || response.code_details == "" || '
    f'response.code_details.startsWith("{PROCESSOR_DETAILS}")'
)


@dataclass(frozen=True, slots=True)
class _Fault:
    status: int
    title: str
    #: Nova's and Cinder's name for the status; both call all else computeFault.
    name: str
    message: str


_FAULTS = (
    _Fault(400, "Bad Request", "badRequest", "The request could not be understood."),
    _Fault(404, "Not Found", "itemNotFound", "The resource could not be found."),
    _Fault(408, "Request Timeout", "computeFault", "The request took too long to arrive."),
    _Fault(413, "Request Entity Too Large", "overLimit", "The request body is too large."),
    _Fault(429, "Too Many Requests", "overLimit", "Too many requests."),
    _Fault(431, "Request Header Fields Too Large", "badRequest", "The headers are too large."),
    _Fault(502, "Bad Gateway", "computeFault", "The service gave an answer that is none."),
    _Fault(
        503,
        "Service Unavailable",
        "serviceUnavailable",
        "The service is unavailable at this time. Try again later.",
    ),
    _Fault(504, "Gateway Timeout", "computeFault", "The service did not answer in time."),
)
#: Larger than what is held of an answer that is to be put into the users' words. Envoy's 500 would
#: say that the fault is the gateway's.
_TOO_LARGE = _Fault(502, "Bad Gateway", "computeFault", "The service's answer is too large.")
_TOO_LARGE_DETAILS = 'response.code_details == "response_payload_too_large"'
#: `%RESPONSE_CODE%` is Envoy's.
_OTHER = _Fault(0, "Error", "computeFault", "The request could not be served.")

_NEUTRON_TYPES = {400: "HTTPBadRequest", 404: "HTTPNotFound", 503: "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class _Area:
    form: FaultForm
    services: str
    #: Paths as clients send them and as pods see them, with whatever stands behind.
    paths: str


_AREAS = (
    _Area(FaultForm.NEUTRON, "network", r"/(network|v2\.0)([/?].*)?"),
    _Area(
        FaultForm.HTML,
        "image",
        r"/(image([/?].*)?|v2(\.\d+)?/(images|metadefs|schemas|tasks|info|stores|cache)([/?].*)?)",
    ),
    _Area(FaultForm.ERRORS, "placement", r"/placement([/?].*)?"),
    _Area(FaultForm.NAMED, "compute|volume", ".*"),
)


def local_reply_config() -> m.hcm.LocalReplyConfig:
    """Build the mappers; the first that matches an error writes its body."""
    return m.hcm.LocalReplyConfig(
        mappers=[
            # Matches and leaves the body.
            m.hcm.ResponseMapper(filter=_cel(_FROM_PROCESSOR)),
            *(mapper for area in _AREAS for mapper in _mappers(area)),
        ]
    )


def fault_body(form: FaultForm, status: int) -> str:
    """Write the body of one of Envoy's errors; the form alone decides, no pod is named."""
    fault = next((fault for fault in _FAULTS if fault.status == status), _OTHER)
    return _body(form, fault).replace("%RESPONSE_CODE%", str(status))


def content_type(form: FaultForm) -> str:
    """Say what the body of an error is."""
    return "text/html; charset=UTF-8" if form is FaultForm.HTML else "application/json"


def _mappers(area: _Area) -> list[m.hcm.ResponseMapper]:
    where = _any_of(*_filters(area))
    too_large = _mapper(_all_of(where, _cel(_TOO_LARGE_DETAILS)), area.form, _TOO_LARGE)
    too_large.status_code = _TOO_LARGE.status
    return [
        too_large,
        *(
            _mapper(_all_of(where, _status_filter(fault.status)), area.form, fault)
            for fault in _FAULTS
        ),
        _mapper(where, area.form, _OTHER),
    ]


def _mapper(
    where: m.accesslog.AccessLogFilter, form: FaultForm, fault: _Fault
) -> m.hcm.ResponseMapper:
    # The id under which the access log has the request, in OpenStack's form.
    headers = [_header("x-openstack-request-id", "req-%REQ(X-REQUEST-ID)%")]
    if fault.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(_header("retry-after", "5"))
    return m.hcm.ResponseMapper(
        filter=where,
        headers_to_add=headers,
        body_format_override=m.core.SubstitutionFormatString(
            text_format_source=m.core.DataSource(inline_string=_body(form, fault)),
            content_type=content_type(form),
        ),
    )


def _body(form: FaultForm, fault: _Fault) -> str:
    code = str(fault.status) if fault.status else "%RESPONSE_CODE%"
    match form:
        case FaultForm.HTML:
            title = f"{code} {fault.title}"
            return (
                f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n"
                f"  <h1>{title}</h1>\n  {fault.message}<br /><br />\n\n\n </body>\n</html>"
            )
        case FaultForm.NEUTRON:
            kind = _NEUTRON_TYPES.get(fault.status, "HTTPInternalServerError")
            error = {"type": kind, "message": fault.message, "detail": ""}
            return json.dumps({"NeutronError": error})
        case FaultForm.ERRORS:
            entry = {"status": 0, "title": fault.title, "detail": fault.message}
            return json.dumps({"errors": [entry]}).replace('"status": 0', f'"status": {code}')
        case FaultForm.NAMED:
            body = json.dumps({fault.name: {"code": 0, "message": fault.message}})
            return body.replace('"code": 0', f'"code": {code}')


def _header(name: str, value: str) -> m.core.HeaderValueOption:
    return m.core.HeaderValueOption(
        header=m.core.HeaderValue(key=name, value=value),
        append_action=m.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def _filters(area: _Area) -> list[m.accesslog.AccessLogFilter]:
    """Tell an area by what the processor said, by the cluster that was to answer, by the path."""
    clusters = " || ".join(
        f'xds.cluster_name.endsWith("/{service}")' for service in area.services.split("|")
    )
    return [_service_filter(area), _cel(clusters), _path_filter(area)]


def _service_filter(area: _Area) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(
        metadata_filter=m.accesslog.MetadataFilter(
            matcher=m.matcher.MetadataMatcher(
                filter=METADATA,
                path=[m.matcher.MetadataMatcherPathSegment(key="service")],
                value=m.matcher.ValueMatcher(string_match=m.full_match(area.services)),
            ),
            # The default is to match what is not there.
            match_if_key_not_found=False,
        )
    )


def _path_filter(area: _Area) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(
        header_filter=m.accesslog.HeaderFilter(header=m.header_matches(":path", area.paths))
    )


def _status_filter(status: int) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(
        status_code_filter=m.accesslog.StatusCodeFilter(
            comparison=m.accesslog.ComparisonFilter(
                op=m.accesslog.ComparisonFilterOp.EQ,
                # Envoy asks for a runtime key that could override the value; nobody sets it.
                value=m.core.RuntimeUInt32(default_value=status, runtime_key="trio2o.unused"),
            )
        )
    )


def _cel(expression: str) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(
        extension_filter=m.accesslog.ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=m.pack(m.cel.ExpressionFilter(expression=expression)),
        )
    )


def _all_of(*filters: m.accesslog.AccessLogFilter) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(and_filter=m.accesslog.AndFilter(filters=list(filters)))


def _any_of(*filters: m.accesslog.AccessLogFilter) -> m.accesslog.AccessLogFilter:
    return m.accesslog.AccessLogFilter(or_filter=m.accesslog.OrFilter(filters=list(filters)))
