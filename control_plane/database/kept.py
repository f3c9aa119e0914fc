"""What most requests ask of the database, asked of the driver itself.

Taking a connection from the pool and sending a statement through SQLAlchemy takes 0.7 ms, of which
SQLite needs 0.01. So there are connections that are kept for the few statements that stand on the
way of a request, and which take the driver's own values: a `Query`, and writing many rows at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Column, Dialect

Rows = Sequence[Sequence[Any]]

#: Makes of a driver's value what the column means; None: it is that already.
_Reader = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The rows whose key is one of some values; a constant, so that it is worked out once."""

    columns: tuple[Column[Any], ...]
    key: Column[Any]

    def text(self, condition: str) -> str:
        """Write the statement with what follows the key's name."""
        names = ", ".join(column.name for column in self.columns)
        # Names of our own schema; the values are parameters.
        return f"SELECT {names} FROM {self.key.table.name} WHERE {self.key.name} {condition}"  # noqa: S608

    def readers(self, dialect: Dialect) -> tuple[_Reader, ...]:
        """Give what reads each column's values; empty where none needs it."""
        found = tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in self.columns
        )
        return found if any(found) else ()


def read(rows: Rows, readers: tuple[_Reader, ...]) -> Rows:
    """Make of a driver's rows what their columns mean."""
    if not readers:
        return rows
    return [
        [value if reader is None else reader(value) for reader, value in zip(readers, row)]  # noqa: B905 - as many
        for row in rows
    ]


class Kept(Protocol):
    """Connections of one database that are kept."""

    def find_now(self, query: Query, values: Sequence[str]) -> Rows | None:
        """Read rows without waiting; None where that cannot be done now."""

    async def find(self, query: Query, values: Sequence[str]) -> Rows:
        """Read rows."""

    async def write(self, text: str, parameters: Sequence[Any]) -> None:
        """Run one statement that is a transaction of its own."""

    async def close(self) -> None:
        """Close the connections."""
