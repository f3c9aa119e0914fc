"""The tables. A change here needs a revision in `migrations/versions`; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
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

#: The pods that a project may have things in.
presence = Table(
    "presence",
    metadata,
    Column("project_id", _text(), primary_key=True),
    Column("pod_id", _text(64), ForeignKey(pods.c.id, ondelete="CASCADE"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    #: When something was last about to be made there.
    Column("entered_at", UtcDateTime),
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

#: Ids that pods invent for what users have once. The row whose `pod` is empty is the users' own:
#: its `pod_id` is the id that users see. Names are unique in a pod, as among users.
copies = Table(
    "copies",
    metadata,
    Column("resource", _text(64), primary_key=True),
    Column("pod", _text(), primary_key=True),
    Column("pod_id", _text(64), primary_key=True),
    Column("user_id", _text(64), nullable=False),
    Column("name", _text(), nullable=False),
    UniqueConstraint("resource", "pod", "name"),
)

#: Writes that a pod is to be told, in the users' words.
intents = Table(
    "intents",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("pod", _text(), nullable=False),
    Column("subject", _text(), nullable=False),
    Column("service", _text(64), nullable=False),
    Column("method", _text(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("body", JSON),
    Column("version", _text(32), nullable=False),
    Column("user_id", _text(), nullable=False),
    Column("project_id", _text(), nullable=False),
    Column("sent", Boolean, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("write_id", _text(64), nullable=False, server_default=""),
    Column("held", Boolean, nullable=False, server_default=false()),
    Column("doing", Boolean, nullable=False, server_default=false()),
    Index(None, "pod", "subject"),
    Index(None, "write_id"),
)

facts = Table(
    "facts",
    metadata,
    Column("pod", _text(), primary_key=True),
    Column("key", _text(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
