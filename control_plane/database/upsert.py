"""The one statement the three databases write apart: an insert that meets a row already there."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.sql.dml import Insert

#: Given the columns of the row that was to be inserted: what the row that is there becomes.
Changes = Callable[[Any], Mapping[str, ColumnElement[Any]]]


def insert_or_keep(dialect: str, table: Table) -> Insert:
    """Insert, or leave the row that has the same key as it is."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    # Not INSERT IGNORE, which would swallow every other error as well.
    key = next(iter(table.primary_key.columns))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})


def insert_or_change(dialect: str, table: Table, changes: Changes) -> Insert:
    """Insert, or change the row that has the same primary key."""
    key = list(table.primary_key.columns)
    if dialect == "postgresql":
        on_postgresql = postgresql.insert(table)
        return on_postgresql.on_conflict_do_update(
            index_elements=key, set_=dict(changes(on_postgresql.excluded))
        )
    if dialect == "sqlite":
        on_sqlite = sqlite.insert(table)
        return on_sqlite.on_conflict_do_update(
            index_elements=key, set_=dict(changes(on_sqlite.excluded))
        )
    on_mysql = mysql.insert(table)
    return on_mysql.on_duplicate_key_update(dict(changes(on_mysql.inserted)))
