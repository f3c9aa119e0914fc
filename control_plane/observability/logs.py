"""Structured logs: an event's name and fields, on stderr, as JSON or for people."""

import logging
import sys
from typing import Literal

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

#: Fields that may hold a token or a password; their values never reach a log.
SECRETS = frozenset(
    {"token", "password", "x-auth-token", "x-service-token", "x-subject-token", "authorization"}
)


_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace the values of secret fields, also one mapping deep."""
    for name, value in event.items():
        if name.lower() in SECRETS:
            event[name] = "***"
        elif isinstance(value, dict):
            event[name] = {
                key: "***" if str(key).lower() in SECRETS else inner for key, inner in value.items()
            }
    return event


def configure(level: str, form: Literal["json", "console"]) -> None:
    """Set up structlog, and the standard library's loggers of the packages in use."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: they hold tokens.
            *((_TRACEBACKS,) if form == "json" else ()),
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Nothing is logged a request, so that loggers need no cache, and stderr may be redirected.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    _write_others(max(number, logging.WARNING), renderer, form)


def _write_others(number: int, renderer: Processor, form: str) -> None:
    """Write what packages log in the same form.

    keystoneauth1 logs requests at DEBUG, tokens hashed; warnings are all that is wanted.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *((_TRACEBACKS,) if form == "json" else ()),
                renderer,
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
    # It quotes headers that are too long, a token among them.
    logging.getLogger("aiohttp.server").addFilter(_is_no_bad_request)


def _is_no_bad_request(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
