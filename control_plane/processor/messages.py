"""Build the replies Envoy expects, one function a phase."""

from collections.abc import Iterable, Mapping

from google.protobuf.struct_pb2 import Struct

from control_plane.handlers.decision import Reply
from control_plane.model.headers import CACHE
from control_plane.pb import ext_proc_pb2 as pb

_OVERWRITE = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def header_mutation(
    put: Mapping[str, str] | None = None, remove: Iterable[str] = ()
) -> pb.HeaderMutation:
    """Set and remove headers; values travel as bytes, since Envoy refuses text beside them."""
    return pb.HeaderMutation(
        set_headers=[
            pb.HeaderValueOption(
                header=pb.HeaderValue(key=name, raw_value=value.encode()),
                append_action=_OVERWRITE,
            )
            for name, value in (put or {}).items()
        ],
        remove_headers=list(remove),
    )


def metadata(facts: Mapping[str, str]) -> Struct:
    """Wrap facts of a request for Envoy's access log, under the namespace `trio2o`."""
    struct = Struct()
    struct.update({"trio2o": dict(facts)})
    return struct


#: Ask for the request's body and do not look at the answer.
READ_BODY = pb.ProcessingMode(
    request_header_mode=pb.ProcessingMode.SEND,
    response_header_mode=pb.ProcessingMode.SKIP,
    request_body_mode=pb.ProcessingMode.BUFFERED,
)
#: Ask for the request's body and the headers of the answer.
READ_BODY_AND_ANSWER_HEADERS = pb.ProcessingMode(
    request_header_mode=pb.ProcessingMode.SEND,
    response_header_mode=pb.ProcessingMode.SEND,
    request_body_mode=pb.ProcessingMode.BUFFERED,
)
#: Ask for the request's body and the answer.
READ_BODY_AND_ANSWER = pb.ProcessingMode(
    request_header_mode=pb.ProcessingMode.SEND,
    response_header_mode=pb.ProcessingMode.SEND,
    request_body_mode=pb.ProcessingMode.BUFFERED,
    response_body_mode=pb.ProcessingMode.BUFFERED,
)
#: Ask for the answer only.
READ_ANSWER = pb.ProcessingMode(
    request_header_mode=pb.ProcessingMode.SEND,
    response_header_mode=pb.ProcessingMode.SEND,
    response_body_mode=pb.ProcessingMode.BUFFERED,
)
#: Ask for the headers of the answer only.
READ_ANSWER_HEADERS = pb.ProcessingMode(
    request_header_mode=pb.ProcessingMode.SEND,
    response_header_mode=pb.ProcessingMode.SEND,
)


def ask_for_body(mode: pb.ProcessingMode) -> pb.ProcessingResponse:
    """Let the headers wait for the body."""
    return pb.ProcessingResponse(
        request_headers=pb.HeadersResponse(response=pb.CommonResponse()), mode_override=mode
    )


def ask_for_unmeasured_body(mode: pb.ProcessingMode) -> pb.ProcessingResponse:
    """Let the headers wait for a body whose length nobody has told, or for as much as is held.

    BUFFERED would read no further where more than is held comes before this reply does, and say
    nothing. BUFFERED_PARTIAL routes before it looks at a later `clear_route_cache`, so that the
    route is cleared now, which counts only beside a change of headers; and it lets no length be
    told to the pod.
    """
    partial = pb.ProcessingMode()
    partial.CopyFrom(mode)
    partial.request_body_mode = pb.ProcessingMode.BUFFERED_PARTIAL
    return pb.ProcessingResponse(
        request_headers=pb.HeadersResponse(
            response=pb.CommonResponse(
                header_mutation=header_mutation(remove=[CACHE]), clear_route_cache=True
            )
        ),
        mode_override=partial,
    )


def forward_headers(
    mutation: pb.HeaderMutation, facts: Struct, mode: pb.ProcessingMode | None
) -> pb.ProcessingResponse:
    """Route a request by its headers alone."""
    return pb.ProcessingResponse(
        request_headers=pb.HeadersResponse(
            response=pb.CommonResponse(header_mutation=mutation, clear_route_cache=True)
        ),
        dynamic_metadata=facts,
        mode_override=mode,
    )


def forward_body(
    mutation: pb.HeaderMutation, facts: Struct, body: bytes | None, *, measured: bool
) -> pb.ProcessingResponse:
    """Route a request whose body was read; `body` replaces it."""
    return pb.ProcessingResponse(
        request_body=pb.BodyResponse(
            response=pb.CommonResponse(
                header_mutation=mutation,
                body_mutation=pb.BodyMutation(body=body) if body is not None else None,
                clear_route_cache=measured,
            )
        ),
        dynamic_metadata=facts,
    )


def pass_headers(mutation: pb.HeaderMutation | None = None) -> pb.ProcessingResponse:
    """Let the answer's headers pass."""
    return pb.ProcessingResponse(
        response_headers=pb.HeadersResponse(
            response=pb.CommonResponse(header_mutation=mutation) if mutation else None
        )
    )


def pass_body(body: bytes | None, remove: Iterable[str] = ()) -> pb.ProcessingResponse:
    """Let the answer's body pass, or send `body` in its place, without some headers."""
    if body is None:
        return pb.ProcessingResponse(response_body=pb.BodyResponse())
    return pb.ProcessingResponse(
        response_body=pb.BodyResponse(
            response=pb.CommonResponse(
                header_mutation=header_mutation({"content-length": str(len(body))}, remove),
                body_mutation=pb.BodyMutation(body=body),
            )
        )
    )


def immediate(
    status: int, headers: Mapping[str, str], body: bytes, facts: Struct, details: str
) -> pb.ProcessingResponse:
    """Answer here."""
    return pb.ProcessingResponse(
        immediate_response=pb.ImmediateResponse(
            status=pb.HttpStatus(code=status),
            headers=header_mutation(headers),
            body=body,
            details=details,
        ),
        dynamic_metadata=facts,
    )


def answer(
    method: str | None, reply: Reply, headers: Mapping[str, str], facts: Struct
) -> pb.ProcessingResponse:
    """Answer here with a body that is whole."""
    whole = reply.body if isinstance(reply.body, bytes) else b""
    details = "trio2o_" + reply.reason.replace(" ", "_")
    return immediate(reply.status, headers, b"" if method == "HEAD" else whole, facts, details)


def stream_headers(status: int, headers: Mapping[str, str], facts: Struct) -> pb.ProcessingResponse:
    """Begin a streamed answer."""
    fields = [pb.HeaderValue(key=":status", raw_value=str(status).encode())]
    fields += [
        pb.HeaderValue(key=name, raw_value=value.encode()) for name, value in headers.items()
    ]
    return pb.ProcessingResponse(
        streamed_immediate_response=pb.StreamedImmediateResponse(
            headers_response=pb.HttpHeaders(headers=pb.HeaderMap(headers=fields))
        ),
        dynamic_metadata=facts,
    )


def read_headers(message: pb.HttpHeaders) -> dict[str, str]:
    """Read headers; repeated ones are joined by commas, as HTTP allows."""
    found: dict[str, str] = {}
    for header in message.headers.headers:
        key, raw = header.key, header.raw_value
        value = raw.decode("latin-1") if raw else header.value
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
