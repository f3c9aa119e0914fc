"""Tell a database that does not answer, or can do nothing, from one that refuses rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from control_plane.model.errors import StoreUnreachable

#: That a server only reads: of PostgreSQL, and three of MySQL.
_ONLY_READS = frozenset({"25006", 1290, 1792, 1836})


@contextmanager
def unreachable() -> Iterator[None]:
    """Raise StoreUnreachable for what a driver says of the database and not of the rows."""
    try:
        yield
    except (OSError, NoConnectionLeft, OperationalError, InterfaceError) as error:
        raise StoreUnreachable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnreachable(error) from error
        raise


def code_of(error: DBAPIError | ExceptionContext) -> object:
    """Give a server's code of an error; None where it has none."""
    origin = error.orig if isinstance(error, DBAPIError) else error.original_exception
    if origin is None:
        return None
    return getattr(origin, "sqlstate", None) or (origin.args[0] if origin.args else None)


def leave_readers(context: ExceptionContext) -> None:
    """Give up connections to a server that only reads.

    Another one takes writes now, and leads where it is; the old connections lead to this one.
    """
    if code_of(context) in _ONLY_READS:
        context.is_disconnect = True
