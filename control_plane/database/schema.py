"""The tables. A change here needs a revision in `migrations/versions`; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, to the microsecond, in UTC whatever the database knows of time zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the most exact type; MySQL's DATETIME has whole seconds unless it is told."""
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write UTC; a value without a time zone is taken for UTC."""
        if value is None:
            return None
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _text(length: int = 255) -> String:
    # Ids differ by case, which MySQL's usual collations ignore.
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

pods = Table(
    "pods",
    metadata,
    Column("id", _text(64), primary_key=True),
    Column("name", _text(), nullable=False),
    Column("availability_zone", _text(), nullable=False),
    Column("pod_availability_zone", _text(), nullable=False),
    Column("data_center", _text(), nullable=False),
    Column("state", _text(32), nullable=False),
    Column("weight", Integer, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("endpoints", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime),
    Column("number", Integer, nullable=False, server_default="0"),
    UniqueConstraint("name"),
    Index(None, "number", unique=True),
)

bindings = Table(
    "bindings",
    metadata,
    Column("id", _text(64), primary_key=True),
    Column("project_id", _text(), nullable=False),
    Column("availability_zone", _text(), nullable=False),
    Column("pod_id", _text(64), ForeignKey(pods.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime),
    UniqueConstraint("project_id", "availability_zone"),
    Index(None, "pod_id"),
)

#: `pod` is a name without a foreign key: who owns an id stays true when the pod is taken out.
owners = Table(
    "owners",
    metadata,
    Column("id", _text(), primary_key=True),
    Column("resource", _text(64), nullable=False),
    Column("pod", _text(), nullable=False),
    Column("project_id", _text(), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index(None, "pod"),
    Index(None, "project_id", "resource", "created_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("pod", _text(), primary_key=True),
    Column("key", _text(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
