"""An insert of many rows as one statement, whose parameters are few however many rows there are.

A driver's `executemany` is a round trip, or a step of its own, a row: in a process with more than
one thread each step waits for the interpreter. One statement is also a transaction of its own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Dialect,
    String,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.dml import Insert


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A statement as a driver takes it, and what makes its parameters of rows."""

    text: str
    parameters: Callable[[Sequence[Mapping[str, Any]]], Sequence[Any]]


def many_rows(
    dialect: Dialect, statement: Insert, columns: Sequence[Column[Any]]
) -> ManyRows | None:
    """Make an insert take many rows; None where the database has no way to say that."""
    if dialect.name == "sqlite":
        return _sqlite(dialect, statement, columns)
    if dialect.driver == "asyncpg":
        return _asyncpg(dialect, statement, columns)
    return None


def _sqlite(dialect: Dialect, statement: Insert, columns: Sequence[Column[Any]]) -> ManyRows:
    """Give all rows as one text, an array of arrays in JSON."""
    rows = func.json_each(bindparam("rows")).table_valued("value")
    values = [
        func.json_extract(rows.c.value, literal_column(f"'$[{place}]'"))
        for place, _ in enumerate(columns)
    ]
    # SQLite takes ON CONFLICT behind SELECT for a part of a join where there is no WHERE.
    query = select(*values).select_from(rows).where(true())
    text = _compiled(dialect, statement, columns, query)
    writers = _writers(dialect, columns)

    def parameters(found: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return (json.dumps([[write(row[name]) for name, write in writers] for row in found]),)

    return ManyRows(text, parameters)


def _asyncpg(dialect: Dialect, statement: Insert, columns: Sequence[Column[Any]]) -> ManyRows:
    """Give the values of each column as an array."""
    arrays = [func.unnest(bindparam(column.name, type_=_array(column))) for column in columns]
    text = _compiled(dialect, statement, columns, select(*arrays))
    writers = _writers(dialect, columns)

    def parameters(found: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return [[write(row[name]) for row in found] for name, write in writers]

    return ManyRows(text, parameters)


def _array(column: Column[Any]) -> ARRAY[Any]:
    # A cast to VARCHAR(255) would cut a text that is too long, without a word.
    return ARRAY(Text() if isinstance(column.type, String) else column.type)


def _compiled(
    dialect: Dialect, statement: Insert, columns: Sequence[Column[Any]], query: Any
) -> str:
    filled = statement.from_select([column.name for column in columns], query)
    return str(filled.compile(dialect=dialect))


def _writers(
    dialect: Dialect, columns: Sequence[Column[Any]]
) -> list[tuple[str, Callable[[Any], Any]]]:
    """Give what makes of each column's values what the driver takes."""
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for column in columns:
        processor = column.type.dialect_impl(dialect).bind_processor(dialect)
        found.append((column.name, processor or _same))
    return found


def _same(value: Any) -> Any:
    return value
