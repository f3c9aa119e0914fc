"""Make the tables of replicated definitions: ids of copies, and writes not yet carried out."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _text(length: int = 255) -> sa.String:
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "copies",
        sa.Column("resource", _text(64), primary_key=True),
        sa.Column("pod", _text(), primary_key=True),
        sa.Column("pod_id", _text(64), primary_key=True),
        sa.Column("user_id", _text(64), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.UniqueConstraint("resource", "pod", "name", name="uq_copies_resource_pod_name"),
    )
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("pod", _text(), nullable=False),
        sa.Column("subject", _text(), nullable=False),
        sa.Column("service", _text(64), nullable=False),
        sa.Column("method", _text(16), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("body", sa.JSON),
        sa.Column("version", _text(32), nullable=False),
        sa.Column("user_id", _text(), nullable=False),
        sa.Column("project_id", _text(), nullable=False),
        sa.Column("sent", sa.Boolean, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _moment(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
    )
    op.create_index("ix_intents_pod_subject", "intents", ["pod", "subject"])
